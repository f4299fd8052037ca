"""Callbacks of a payment provider: signed messages that become commands. A message is JSON: a
`type` of TYPES, and the fields of its command. Repeating a message, or its answer in another
message, changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast

import msgspec

from cqrs_app.areas.payments import gateway_commands
from cqrs_app.areas.payments.gateway import Declined, Done, GatewayRequest
from cqrs_app.areas.payments.gateway_client import answer_command
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.rules import UNKNOWN
from cqrs_app.kernel import Command, Invalid
from cqrs_app.kernel.effects import (
    Actor,
    Context,
    Kernel,
    NotGenuine,
    Receipt,
    Repository,
    headers,
    parse,
    plain_json,
    require_genuine,
)

TYPES: Mapping[str, type[Command]] = MappingProxyType(
    {
        "authorised": gateway_commands.RecordAuthorisation,
        "captured": gateway_commands.RecordCapture,
        "voided": gateway_commands.RecordVoid,
        "refunded": gateway_commands.RecordRefund,
        "declined": gateway_commands.RecordDecline,
        "disputed": gateway_commands.RecordDispute,
        "dispute_resolved": gateway_commands.ResolveDispute,
    }
)
_NAMESPACE = uuid.UUID("a5b0c3a4-7d0b-5e2f-8f51-2f6f5e0c9b1d")


class Callbacks:
    """`secret` verifies the messages; without one, none is accepted. `actor` sends the commands."""

    def __init__(self, kernel: Kernel, *, secret: str, actor: Actor) -> None:
        self._kernel = kernel
        self._secret = secret
        self._actor = actor
        self._repository = Repository(kernel.store, kernel.registry.codec)

    def receive(self, gateway: str, sent: Mapping[str, str], body: bytes) -> Receipt:
        """Carry out a message; `sent` are its headers, with lower-case names. Raises NotGenuine,
        Invalid if it cannot be read, and what the command bus raises.
        """
        if not self._secret:
            raise NotGenuine("No messages are taken: PAYMENT_CALLBACK_SECRET is not set.")
        now = self._kernel.clock().timestamp()
        message_id, sent_at = require_genuine(self._secret, sent, body, now)
        command = command_in(body)
        self._require_own(gateway, command)
        # The time is included: a provider that was refused sends the same id again with a new
        # signature.
        name = f"{gateway} {message_id} {sent_at}"
        context = Context(
            actor=self._actor, channel="callback", command_id=str(uuid.uuid5(_NAMESPACE, name))
        )
        return self._kernel.commands.execute(command, context)

    def _require_own(self, gateway: str, command: Command) -> None:
        stream = Payment.stream_for(command)
        payment = cast(Payment, self._repository.load(Payment, stream)[0])
        if payment.gateway != gateway:
            raise UNKNOWN.because(f"The gateway {gateway} has no such payment here.")


def command_in(body: bytes) -> Command:
    """The command in a message. Raises Invalid."""
    try:
        fields = plain_json(body)
    except ValueError as error:
        raise Invalid("The message", {"body": str(error)}) from error
    if not isinstance(fields, dict):
        raise Invalid("The message", {"body": "Write a JSON object."})
    kind = fields.pop("type", None)
    if not isinstance(kind, str) or kind not in TYPES:
        raise Invalid("The message", {"type": f"Write one of: {', '.join(TYPES)}."})
    return parse(TYPES[kind], fields)


def message_of(order: GatewayRequest, answer: Done | Declined) -> bytes:
    """The message in which a provider would send this command."""
    command = answer_command(order, answer)
    [kind] = [name for name, cls in TYPES.items() if cls is type(command)]
    return msgspec.json.encode({"type": kind, **msgspec.to_builtins(command)})


def sandbox_caller(
    receive: Callable[[str, Mapping[str, str], bytes], Receipt],
    secret: str,
    clock: Callable[[], datetime],
) -> Callable[[GatewayRequest, Any], bool]:
    """How the sandbox sends its answers: signed as if from outside, without a network."""

    def call_back(order: GatewayRequest, answer: Done | Declined) -> bool:
        if not secret:
            return False
        body = message_of(order, answer)
        sent = headers([secret], f"msg_{order.key}", int(clock().timestamp()), body)
        receive("sandbox", sent, body)
        return True

    return call_back
