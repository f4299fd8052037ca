"""Events that fulfilment wrote until its state became a row. Frozen: nothing writes them; streams
that hold them are read as the inputs they represent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta

from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.fulfilment.inputs import (
    DECISIONS,
    Approved,
    CommandEnded,
    CommandsSent,
    DeadlinePassed,
    Input,
    Moved,
    OrderChanged,
    PaymentChanged,
    StockArrived,
)
from cqrs_app.areas.fulfilment.process import OutgoingCommand, Status
from cqrs_app.areas.fulfilment.types import Line, Policy, Sent
from cqrs_app.kernel import Event, Recorded, event, value

_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*$"


@value
class Argument:
    """One field of a command that is sent, as text."""

    name: Annotated[str, Meta(pattern=_TEXT, max_length=100, examples=["OrderHeld"])]
    text: Annotated[str, Meta(pattern=_TEXT, max_length=2_000, examples=["As told."])]


@event()
class FulfilmentBegun(Event):
    order_id: str
    currency: str
    total: Decimal
    lines: tuple[Line, ...]
    policy: Policy


@event()
class FulfilmentOrderNoted(Event):
    """Something happened to the order; `fact` is the event's type, `by` who did it."""

    order_id: str
    fact: str
    by: str
    sent: tuple[Sent, ...]


@event()
class FulfilmentPaymentNoted(Event):
    """Something happened to a payment of the order; `asked` is the declined request."""

    order_id: str
    payment_id: str
    fact: str
    asked: str
    amount: Decimal
    currency: str
    sentence: str


@event()
class FulfilmentStockNoted(Event):
    """There may be stock again of a product that is missing."""

    order_id: str
    sku: str


@event()
class FulfilmentTaskSent(Event):
    """`subject` is what the command is about: a product, a payment or the order itself."""

    order_id: str
    task_no: int
    task: str
    subject: str
    arguments: tuple[Argument, ...]


@event()
class FulfilmentTaskEnded(Event):
    """`outcome`: done, refused or failed."""

    order_id: str
    task_no: int
    outcome: str
    code: str
    sentence: str


@event()
class FulfilmentDeadlinePassed(Event):
    order_id: str


def inputs_of(stream: Iterable[Recorded]) -> Iterator[tuple[Input, Recorded]]:
    """The inputs that a process's own events represent, oldest first. A command's step is the
    version at which it was sent.
    """
    sent: dict[int, int] = {}
    for recorded in stream:
        said: Any = recorded.event
        match said:
            case FulfilmentTaskSent():
                sent[said.task_no] = recorded.version
            case FulfilmentTaskEnded():
                ended = CommandEnded(
                    no=sent[said.task_no],
                    outcome=said.outcome,
                    code=said.code,
                    sentence=said.sentence,
                )
                yield ended, recorded
                continue
        yield _input_of(said, recorded), recorded


def _input_of(said: Any, recorded: Recorded) -> Input:
    if type(said) in DECISIONS:
        decision: Input = said
        return decision
    match said:
        case FulfilmentMoved():
            within = said.within
            due = None if within is None else recorded.occurred_at + timedelta(seconds=within)
            return Moved(Status(said.stage, said.sentence, said.late), due)
        case FulfilmentBegun():
            return Approved(
                currency=said.currency, total=said.total, lines=said.lines, policy=said.policy
            )
        case FulfilmentOrderNoted():
            return OrderChanged(type=said.fact, by=said.by, sent=said.sent)
        case FulfilmentPaymentNoted():
            return PaymentChanged(
                payment_id=said.payment_id,
                type=said.fact,
                asked=said.asked,
                amount=said.amount,
                currency=said.currency,
                sentence=said.sentence,
            )
        case FulfilmentStockNoted():
            return StockArrived(said.sku)
        case FulfilmentTaskSent():
            arguments = {each.name: each.text for each in said.arguments}
            command = OutgoingCommand(recorded.version, said.task, said.subject, arguments)
            return CommandsSent((command,))
        case FulfilmentDeadlinePassed():
            return DeadlinePassed()
    raise TypeError(f"{type(said).__name__} is no event of fulfilment")
