"""What a process would do about something that has not happened yet. Pure: whether a command would
be accepted is up to `rehearse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from cqrs_app.areas.fulfilment.decide import decide
from cqrs_app.areas.fulfilment.evolve import evolve
from cqrs_app.areas.fulfilment.inputs import (
    CommandEnded,
    CommandsSent,
    Input,
    Moved,
    PaymentChanged,
)
from cqrs_app.areas.fulfilment.process import FulfilmentProcess, OutgoingCommand
from cqrs_app.areas.payments.events import PaymentRefundRequested
from cqrs_app.kernel import Event

MOST_ROUNDS = 10
"""Commands that follow from the outcome of others: an order given up needs two or three rounds."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The outcome of a command in a rehearsal; `code` is empty where it is accepted."""

    events: tuple[Event, ...] = ()
    code: str = ""
    sentence: str = ""


Rehearse = Callable[[Sequence[OutgoingCommand]], Sequence[Tried]]
"""The outcomes of these commands, carried out one after the other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The commands that would be sent, with their outcomes, and the process after them."""

    steps: tuple[tuple[OutgoingCommand, Tried], ...]
    process: FulfilmentProcess


def plan(process: FulfilmentProcess, inputs: Iterable[Input], rehearse: Rehearse) -> Plan:
    """What the process does about these inputs until it waits for somebody else. Refunds that it
    requests, or has requested, are assumed to succeed.
    """
    for item in inputs:
        process = evolve(process, item)
    if process.given_up:
        process = _without_pending_refunds(process)
    commands: list[OutgoingCommand] = []
    outcomes: Sequence[Tried] = ()
    for _ in range(MOST_ROUNDS if process.is_known else 0):
        decision = decide(process)
        if not decision.commands:
            break
        process = evolve(process, CommandsSent(decision.commands))
        process = evolve(process, Moved(decision.status, None))
        commands += decision.commands
        outcomes = rehearse(commands)
        for command, tried in list(zip(commands, outcomes, strict=True))[-len(decision.commands) :]:
            process = _after(process, command, tried)
    return Plan(tuple(zip(commands, outcomes, strict=True)), process)


def _after(process: FulfilmentProcess, command: OutgoingCommand, tried: Tried) -> FulfilmentProcess:
    outcome = "refused" if tried.code else "done"
    ended = CommandEnded(no=command.no, outcome=outcome, code=tried.code, sentence=tried.sentence)
    process = evolve(process, ended)
    for event in tried.events:
        if isinstance(event, PaymentRefundRequested):
            process = evolve(process, _refunded(event.payment_id, event.amount, event.currency))
    return process


def _without_pending_refunds(process: FulfilmentProcess) -> FulfilmentProcess:
    """Once a pending refund is answered, the rest of its payment is refunded too. How much that is,
    only the payment knows: `rehearse` says it."""
    answered = {
        key: replace(paid, waits=tuple(each for each in paid.waits if each != "refund"))
        for key, paid in process.payments.items()
    }
    return replace(process, payments=answered)


def _refunded(payment_id: str, amount: Decimal, currency: str) -> PaymentChanged:
    return PaymentChanged(
        payment_id=payment_id, type="PaymentRefunded", amount=amount, currency=currency
    )
