"""Sends requested payment actions to gateways, and their answers as commands. A request is sent
under its event's id until it is answered; after a crash at any point, it is sent again under the
same id. A replay sends nothing: the rows are written once, by a subscription of the write store.
The command with the answer has an id made from it, so the same answer is one command.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast

import msgspec

from cqrs_app.areas.payments import gateway_commands
from cqrs_app.areas.payments.gateway import (
    Declined,
    Done,
    Gateway,
    GatewayRequest,
    Later,
    Unreachable,
)
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.requested import GatewayRequestStore, Overtaken, Requested
from cqrs_app.areas.payments.requests import Request
from cqrs_app.areas.payments.words import Asked
from cqrs_app.kernel import Command
from cqrs_app.kernel.effects import (
    Actor,
    BusError,
    Context,
    Kernel,
    Repository,
    StoredEvent,
    pause_after,
)

_DONE: Mapping[Asked, Callable[..., Command]] = {
    Asked.AUTHORISATION: gateway_commands.RecordAuthorisation,
    Asked.CAPTURE: gateway_commands.RecordCapture,
    Asked.VOID: gateway_commands.RecordVoid,
    Asked.REFUND: gateway_commands.RecordRefund,
}
_NAMESPACE = uuid.UUID("3f0f5bb1-1f8e-5d43-9d0e-6a4f0d1f7c52")

logger = logging.getLogger("countersign.payments")


class GatewayClient:
    """`gateways` by name; `actor` sends the commands with their answers."""

    def __init__(
        self,
        kernel: Kernel,
        gateways: Mapping[str, Gateway],
        *,
        actor: Actor,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._kernel = kernel
        self._gateways = gateways
        self._actor = actor
        self._chance = chance
        self._book = GatewayRequestStore(kernel.engines.write, kernel.clock)
        self._repository = Repository(kernel.store, kernel.registry.codec)

    def ask(self, key: str) -> bool:
        """Send one request, if it is due. Safe to call from anywhere at any time: a second caller
        finds it leased. Never leaves more to do at once.
        """
        request = self._book.take(key)
        if request is None:
            return False
        try:
            self._book.save(request, **self._asked(request))
        except Overtaken:
            logger.warning("request %s: somebody else asks by now", key)
        return False

    def _asked(self, request: Requested) -> dict[str, Any]:
        """Send the request and pass the answer on; returns the columns to update."""
        payment = self._load(request.payment_id)
        if not payment.waits_for(request.request_no):
            return {"state": "closed"}
        order = _order(request, payment, self._kernel.clock())
        try:
            event = self._event(order)
            gateway = self._gateway(payment.gateway)
            with self._kernel.tracer.outgoing("ask gateway", event):
                answer = gateway.ask(order)
            if isinstance(answer, Later):
                return self._wait(answer.ask_again_in)
            self._answer(order, answer, event.correlation_id)
        except Unreachable as error:
            return self._failed(request, str(error))
        except BusError as error:
            # The answer is not lost: the gateway repeats it under the same key.
            return self._failed(request, error.sentence)
        return {"state": "closed", "last_error": None}

    def _gateway(self, name: str) -> Gateway:
        if name not in self._gateways:
            raise Unreachable(f"This release has no gateway {name}.")
        return self._gateways[name]

    def _load(self, payment_id: str) -> Payment:
        aggregate, _ = self._repository.load(Payment, Payment.stream_of(payment_id))
        return cast(Payment, aggregate)

    def _event(self, order: GatewayRequest) -> StoredEvent:
        """The event that made the request. A request has its id as key."""
        events = self._kernel.store.events_of(Payment.stream_of(order.payment_id))
        return next(event for event in events if event.id == order.key)

    def _answer(self, order: GatewayRequest, answer: Done | Declined, correlation_id: str) -> None:
        command = answer_command(order, answer)
        context = Context(
            actor=self._actor,
            channel="gateway",
            command_id=answer_id(order.key, command),
            causation_id=order.key,
            correlation_id=correlation_id,
        )
        self._kernel.commands.execute(command, context)

    def _wait(self, pause: timedelta | None) -> dict[str, Any]:
        at = None if pause is None else self._kernel.clock() + pause
        return {"next_attempt_at": at, "failures": 0, "last_error": None}

    def _failed(self, request: Requested, sentence: str) -> dict[str, Any]:
        failures = request.failures + 1
        pause = pause_after(failures, self._chance())
        at = self._kernel.clock() + pause
        return {"next_attempt_at": at, "failures": failures, "last_error": sentence}


def answer_command(order: GatewayRequest, answer: Done | Declined) -> Command:
    """A gateway's answer as a command."""
    if isinstance(answer, Declined):
        return gateway_commands.RecordDecline(
            payment_id=order.payment_id,
            request_no=order.request_no,
            code=answer.code,
            sentence=answer.sentence,
        )
    record = _DONE[order.asked]
    return record(
        payment_id=order.payment_id, request_no=order.request_no, reference=answer.reference
    )


def answer_id(key: str, command: Command) -> str:
    """The same id for the same answer under the same key."""
    content = msgspec.json.encode((key, type(command).__name__, command))
    return str(uuid.uuid5(_NAMESPACE, content.decode()))


def _order(request: Requested, payment: Payment, now: Any) -> GatewayRequest:
    asked: Request = payment.requests[request.request_no - 1]
    return GatewayRequest(
        key=request.request_key,
        payment_id=request.payment_id,
        request_no=request.request_no,
        asked=asked.asked,
        amount=asked.amount,
        currency=payment.currency,
        method=payment.method,
        reference=payment.reference_for(asked.asked),
        at=now,
    )
