"""Asks gateways for what the events request, and sends their answers as commands.

The log is looked through once, by a cursor of its own that no replay moves back. A request is asked
under its event's id until it is answered; killed at any point, it is asked again under the same id.
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

from cqrs_app.areas.payments import answers, events
from cqrs_app.areas.payments.gateway import Declined, Done, Gateway, Later, Order, Unreachable
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.requested import Overtaken, RequestBook, Requested
from cqrs_app.areas.payments.requests import Request
from cqrs_app.areas.payments.words import Asked
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.subscriptions.schedule import pause_after

BATCH = 1_000
"""Events of the log that are looked through together."""

ASKING = frozenset(
    event.__name__
    for event in (
        events.PaymentAuthorisationRequested,
        events.PaymentCaptureRequested,
        events.PaymentVoidRequested,
        events.PaymentRefundRequested,
    )
)
_DONE: Mapping[Asked, Callable[..., Command]] = {
    Asked.AUTHORISATION: answers.RecordAuthorisation,
    Asked.CAPTURE: answers.RecordCapture,
    Asked.VOID: answers.RecordVoid,
    Asked.REFUND: answers.RecordRefund,
}
_NAMESPACE = uuid.UUID("3f0f5bb1-1f8e-5d43-9d0e-6a4f0d1f7c52")

logger = logging.getLogger("countersign.payments")


class Teller:
    """`gateways` by name, `actor` is who brings their answers."""

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
        self._book = RequestBook(kernel.engines.write, kernel.clock)
        self._repository = Repository(kernel.store, kernel.registry.codec)

    def due(self) -> list[str]:
        """The keys of requests to be asked now; first takes in what is new in the log."""
        self._kernel.store.place()
        while self._look_on():
            pass
        return self._book.due()

    def ask(self, key: str) -> bool:
        """Ask the gateway for one request, if it is due. Safe to call from anywhere at any time: a
        second caller finds it taken. Never leaves more to do at once."""
        request = self._book.take(key)
        if request is None:
            return False
        try:
            self._book.save(request, **self._asked(request))
        except Overtaken:
            logger.warning("request %s: somebody else asks by now", key)
        return False

    def _look_on(self) -> bool:
        """Take in a batch; whether there is more."""
        after = self._book.position()
        found = self._kernel.store.follow(after, BATCH)
        if not found:
            return False
        known = self._known(found)
        if known:
            asking = [stored for stored in known if stored.type in ASKING]
            self._book.take_in(after, known[-1].position or after, asking)
        return len(known) == BATCH

    def _known(self, found: tuple[StoredEvent, ...]) -> tuple[StoredEvent, ...]:
        """Up to the first event of a payment that this release does not know: it may be a request
        of a newer one, which is not passed over."""
        types = self._kernel.registry.events
        for index, stored in enumerate(found):
            if stored.stream.startswith(f"{Payment.category}-") and stored.type not in types:
                logger.warning("%s is not known to this release; requests wait", stored.type)
                return found[:index]
        return found

    def _asked(self, request: Requested) -> dict[str, Any]:
        """Ask, and pass the answer on; what is to be kept of it."""
        payment = self._load(request.payment_id)
        if not payment.waits_for(request.request_no):
            return {"state": "closed"}
        order = _order(request, payment, self._kernel.clock())
        try:
            said = self._gateway(payment.gateway).ask(order)
            if isinstance(said, Later):
                return self._wait(said.ask_again_in)
            self._answer(order, said)
        except Unreachable as error:
            return self._failed(request, str(error))
        except BusError as error:
            # The answer is not lost: the gateway gives it again under the same key.
            return self._failed(request, error.sentence)
        return {"state": "closed", "last_error": None}

    def _gateway(self, name: str) -> Gateway:
        if name not in self._gateways:
            raise Unreachable(f"This release has no gateway {name}.")
        return self._gateways[name]

    def _load(self, payment_id: str) -> Payment:
        aggregate, _ = self._repository.load(Payment, Payment.stream_of(payment_id))
        return cast(Payment, aggregate)

    def _answer(self, order: Order, said: Done | Declined) -> None:
        command = answer_command(order, said)
        context = Context(
            actor=self._actor,
            channel="gateway",
            command_id=answer_id(order.key, command),
            causation_id=order.key,
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


def answer_command(order: Order, said: Done | Declined) -> Command:
    """What a gateway said, as a command."""
    if isinstance(said, Declined):
        return answers.RecordDecline(
            payment_id=order.payment_id,
            request_no=order.request_no,
            code=said.code,
            sentence=said.sentence,
        )
    record = _DONE[order.asked]
    return record(
        payment_id=order.payment_id, request_no=order.request_no, reference=said.reference
    )


def answer_id(key: str, command: Command) -> str:
    """The same for the same answer under the same key."""
    content = msgspec.json.encode((key, type(command).__name__, command))
    return str(uuid.uuid5(_NAMESPACE, content.decode()))


def _order(request: Requested, payment: Payment, now: Any) -> Order:
    asked: Request = payment.requests[request.request_no - 1]
    return Order(
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
