"""An approved order on its way: what it was told, what it has sent, what it waits for. Pure.

Every method notes one thing and then goes on: `plan` says which tasks the new state asks for,
`stages` where the order stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cqrs_app.areas.fulfilment import commands as do
from cqrs_app.areas.fulfilment import events as was
from cqrs_app.areas.fulfilment import plan, stages, taking_in
from cqrs_app.areas.fulfilment.types import Argument
from cqrs_app.areas.fulfilment.way_state import WayState
from cqrs_app.areas.fulfilment.words import OVER, Stage
from cqrs_app.kernel.commands.handling import handles, rule
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event

NOTHING_TO_DO = Refusal("nothing_to_do", "Nobody sees to this order, or it is at its end.")
NOT_AT_THIS_STEP = Refusal("not_at_this_step", "The order does not wait at this step.")
BEING_UNDONE = Refusal("being_undone", "It is being undone already.")
GOODS_SENT = Refusal("goods_sent", "Some of its goods have left.")


@rule(NOTHING_TO_DO)
def underway(way: WayState, order_id: str) -> None:
    if not way.begun or way.stand.stage in OVER:
        what = "is at its end" if way.begun else "has not begun"
        raise NOTHING_TO_DO(f"The fulfilment of order {order_id} {what}. Nothing was changed.")


@dataclass
class OrderWay(WayState):
    """Every method notes one thing, then goes on."""

    @handles(do.BeginFulfilment)
    def begin(self, command: do.BeginFulfilment) -> Iterator[Event]:
        if self.begun:
            return
        yield was.FulfilmentBegun(
            order_id=command.order_id,
            currency=command.currency,
            total=command.total,
            lines=command.lines,
            policy=command.policy,
        )
        yield from self._go_on(command.order_id)

    @handles(do.NoteOrder)
    def note_order(self, command: do.NoteOrder) -> Iterator[Event]:
        is_on_its_way = self.begun or self.payments
        # That an order was given up is remembered: a payment may still come in.
        if not (is_on_its_way or command.fact in taking_in.GIVEN_UP):
            return
        yield was.FulfilmentOrderNoted(
            order_id=command.order_id, fact=command.fact, by=command.by, sent=command.sent
        )
        if is_on_its_way:
            yield from self._go_on(command.order_id)

    @handles(do.NotePayment)
    def note_payment(self, command: do.NotePayment) -> Iterator[Event]:
        yield was.FulfilmentPaymentNoted(
            order_id=command.order_id,
            payment_id=command.payment_id,
            fact=command.fact,
            asked=command.asked,
            amount=command.amount,
            currency=command.currency,
            sentence=command.sentence,
        )
        yield from self._go_on(command.order_id)

    @handles(do.NoteStock)
    def note_stock(self, command: do.NoteStock) -> Iterator[Event]:
        if command.sku not in self.stand.wants:
            return
        yield was.FulfilmentStockNoted(order_id=command.order_id, sku=command.sku)
        yield from self._go_on(command.order_id)

    @handles(do.NoteTaskEnded)
    def note_task_ended(self, command: do.NoteTaskEnded) -> Iterator[Event]:
        if command.task_no not in self.open:
            return
        yield was.FulfilmentTaskEnded(
            order_id=command.order_id,
            task_no=command.task_no,
            outcome=command.outcome,
            code=command.code,
            sentence=command.sentence,
        )
        yield from self._go_on(command.order_id)

    @handles(do.NoteDeadline)
    def note_deadline(self, command: do.NoteDeadline) -> Iterator[Event]:
        if command.move_no != self.moves:
            return
        yield was.FulfilmentDeadlinePassed(order_id=command.order_id)
        # Missing stock is asked for again at every deadline.
        yield from self._go_on(command.order_id, again=self.stand.stage == Stage.OUT_OF_STOCK)

    @handles(do.RetryFulfilment, when=underway)
    def retry(self, command: do.RetryFulfilment) -> Iterator[Event]:
        yield was.FulfilmentRetried(order_id=command.order_id)
        yield from self._go_on(command.order_id)

    @handles(do.SkipFulfilmentStep, when=underway, refusals=[NOT_AT_THIS_STEP])
    def skip(self, command: do.SkipFulfilmentStep) -> Iterator[Event]:
        if command.step is not self.waits_in:
            raise NOT_AT_THIS_STEP(
                f"Order {self.order_id} does not wait at this step: {self.stand.sentence} "
                f"Nothing was changed.",
            )
        yield was.FulfilmentStepSkipped(
            order_id=command.order_id, step=str(command.step), reason=command.reason
        )
        yield from self._go_on(command.order_id)

    @handles(do.CancelFulfilment, when=underway, refusals=[BEING_UNDONE, GOODS_SENT])
    def cancel(self, command: do.CancelFulfilment) -> Iterator[Event]:
        if self.given_up:
            raise BEING_UNDONE(
                f"Order {self.order_id} is being undone already. Nothing was changed.",
            )
        if any(goods.sent for goods in self.goods.values()):
            raise GOODS_SENT(
                f"Goods of order {self.order_id} have left; it can no longer be cancelled. "
                f"Nothing was changed. Record a credit note for what comes back.",
            )
        yield was.FulfilmentCancelled(order_id=command.order_id, reason=command.reason)
        yield from self._go_on(command.order_id)

    def evolve(self, event: Event, at: datetime) -> None:
        taking_in.take_in(self, event)

    def _go_on(self, order_id: str, *, again: bool = False) -> Iterator[Event]:
        """`again`: the present wait begins anew."""
        for no, task in enumerate(tuple(plan.tasks(self)), start=self.tasks_sent + 1):
            yield was.FulfilmentTaskSent(
                order_id=order_id,
                task_no=no,
                task=task.name,
                subject=task.subject,
                arguments=tuple(
                    Argument(name=name, text=text) for name, text in task.arguments.items()
                ),
            )
        stand = stages.stand(self)
        if again or stand != self.stand:
            yield was.FulfilmentMoved(
                order_id=order_id,
                move_no=self.moves + 1,
                stage=stand.stage,
                sentence=stand.sentence,
                late=stand.late,
                within=stages.seconds_for(self, stand),
                wants=stand.wants,
            )
