"""How each event changes what an order's way remembers: `evolve`, in parts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.fulfilment import events as was
from cqrs_app.areas.fulfilment.state import Goods, Open, Paid, Stand
from cqrs_app.areas.fulfilment.tasks import key_of, told
from cqrs_app.areas.fulfilment.way_state import WayState
from cqrs_app.areas.fulfilment.words import Step
from cqrs_app.kernel.messages.messages import Event

GIVEN_UP = frozenset({"OrderCancelled", "OrderRejected"})

US = "fulfilment"
"""The name under which this process does its own tasks."""

ASKED = MappingProxyType(
    {
        "PaymentAuthorisationRequested": "authorisation",
        "PaymentCaptureRequested": "capture",
        "PaymentVoidPlanned": "void",
        "PaymentVoidRequested": "void",
        "PaymentRefundRequested": "refund",
    }
)
ANSWERED = MappingProxyType(
    {
        "PaymentAuthorised": "authorisation",
        "PaymentCaptured": "capture",
        "PaymentVoided": "void",
        "PaymentRefunded": "refund",
    }
)
PAYMENT_TASKS = MappingProxyType(
    {
        "AuthorisePayment": "authorisation",
        "CapturePayment": "capture",
        "VoidPayment": "void",
        "RefundPayment": "refund",
    }
)
"""What each fact, and each task, is about: an answer that is waited for, or came."""

GOODS_TASKS = MappingProxyType(
    {
        "ReserveStock": Goods.reserve,
        "ReleaseStock": Goods.release,
        "CommitStock": Goods.commit,
    }
)

MISSING = frozenset({"out_of_stock", "product_retired"})
NOT_KEPT = frozenset({"no_such_product", "not_tracked"})
NOT_HELD = frozenset({"not_reserved", "more_than_reserved"})
"""Somebody has released it, or taken it out, by hand: the stock is theirs to put right."""
ALREADY_GIVEN_UP = frozenset({"already_cancelled", "already_rejected"})


def take_in(way: WayState, event: Event) -> None:
    _TAKES_IN[type(event)](way, event)


def _begin(way: WayState, event: was.FulfilmentBegun) -> None:
    way.order_id, way.begun = event.order_id, True
    way.currency, way.total = event.currency, event.total
    way.policy, way.lines = event.policy, event.lines
    for line in event.lines:
        way.goods.setdefault(line.sku, Goods(0)).wanted += line.quantity


def _order(way: WayState, event: was.FulfilmentOrderNoted) -> None:
    way.order_id = event.order_id
    if event.fact in GIVEN_UP:
        way.given_up = True
        # What was asked for on the way there is asked for no more.
        way.refused.clear()
    elif event.fact == "OrderHeld":
        way.held, way.held_by_us = True, event.by == US
    elif event.fact == "OrderReleased":
        way.held = way.held_by_us = False
        if event.by != US:
            _retry(way)
    elif event.fact == "OrderShipped":
        way.left = True
        # Of an order that nobody sees to, only its payments are known.
        for sent in event.sent if way.begun else ():
            way.goods[way.lines[sent.line_no - 1].sku].sent += sent.quantity
    elif event.fact == "OrderDelivered":
        way.delivered = True


def _payment(way: WayState, event: was.FulfilmentPaymentNoted) -> None:
    way.order_id = event.order_id
    paid = way.payments.setdefault(event.payment_id, Paid(event.currency))
    # Whatever it is, what was refused before may be right now.
    for task in ("CapturePayment", "VoidPayment", "RefundPayment"):
        way.refused.pop(key_of(task, event.payment_id), None)
    if event.fact in ASKED:
        paid.wait(ASKED[event.fact])
    elif event.fact in ANSWERED:
        paid.done(ANSWERED[event.fact], event.amount)
    elif event.fact == "PaymentRecorded":
        paid.captured += event.amount
    else:
        _declined(way, paid, event)


def _declined(way: WayState, paid: Paid, event: was.FulfilmentPaymentNoted) -> None:
    paid.answered(event.asked)
    if event.asked in ("authorisation", "capture"):
        paid.declined = True
        # With nothing authorised there is nothing to let go of either.
        if event.asked == "authorisation":
            paid.answered("void")
        if way.begun:
            way.declines += 1
            way.waits_to_retry = True
    else:
        task = "VoidPayment" if event.asked == "void" else "RefundPayment"
        way.refused[key_of(task, event.payment_id)] = event.sentence


def _ended(way: WayState, event: was.FulfilmentTaskEnded) -> None:
    task = way.open.pop(event.task_no)
    goods = way.goods.get(task.subject)
    if event.outcome == "done":
        _done(way, task)
    elif task.task == "ReserveStock" and goods and event.code in MISSING | NOT_KEPT:
        goods.outcome = "missing" if event.code in MISSING else "not_kept"
        goods.sentence = event.sentence
    elif task.task == "CommitStock" and goods and event.code in NOT_HELD:
        goods.held = 0
    elif task.task == "CancelOrder" and event.code in ALREADY_GIVEN_UP:
        way.given_up = True
    elif event.code != "payment_exists":
        way.wanted_cancelled = "" if task.task == "CancelOrder" else way.wanted_cancelled
        way.refused[key_of(task.task, task.subject)] = event.sentence


def _done(way: WayState, task: Open) -> None:
    """The task's own effect, at once: its events come in later and say the same."""
    if task.task in PAYMENT_TASKS:
        paid = way.payments.setdefault(task.subject, Paid(way.currency))
        paid.wait(PAYMENT_TASKS[task.task])
    elif task.task in GOODS_TASKS:
        GOODS_TASKS[task.task](way.goods[task.subject], task.quantity)
    elif task.task == "CancelOrder":
        way.given_up = True
    else:
        way.held = way.held_by_us = task.task == "HoldOrder"


def _retry(way: WayState) -> None:
    way.refused.clear()
    way.waits_to_retry = False
    if way.policy and way.declines > len(way.policy.retry_after):
        way.declines = 0
    _try_stock_again(way)


def _try_stock_again(way: WayState) -> None:
    for goods in way.goods.values():
        if goods.outcome == "missing":
            goods.outcome = goods.sentence = ""
    way.refused.pop(key_of("HoldOrder", way.order_id), None)


def _stock(way: WayState, event: was.FulfilmentStockNoted) -> None:
    _try_stock_again(way)


def _sent(way: WayState, event: was.FulfilmentTaskSent) -> None:
    quantity = int(told(event.arguments).get("quantity", 0))
    way.open[event.task_no] = Open(event.task, event.subject, quantity)
    way.tasks_sent = event.task_no
    way.payments_begun += event.task == "AuthorisePayment"


def _moved(way: WayState, event: was.FulfilmentMoved) -> None:
    way.moves, way.late = event.move_no, event.late
    way.stand = Stand(event.stage, event.sentence, event.late, event.wants)


def _time_is_up(way: WayState, event: was.FulfilmentDeadlinePassed) -> None:
    way.waits_to_retry, way.late = False, True
    _try_stock_again(way)


def _retried(way: WayState, event: was.FulfilmentRetried) -> None:
    _retry(way)


def _skipped(way: WayState, event: was.FulfilmentStepSkipped) -> None:
    way.skipped.append(Step(event.step))
    way.refused.clear()


def _cancelled(way: WayState, event: was.FulfilmentCancelled) -> None:
    way.wanted_cancelled = event.reason


_TAKES_IN: Mapping[type[Event], Callable[[WayState, Any], None]] = MappingProxyType(
    {
        was.FulfilmentBegun: _begin,
        was.FulfilmentOrderNoted: _order,
        was.FulfilmentPaymentNoted: _payment,
        was.FulfilmentStockNoted: _stock,
        was.FulfilmentTaskSent: _sent,
        was.FulfilmentTaskEnded: _ended,
        was.FulfilmentMoved: _moved,
        was.FulfilmentDeadlinePassed: _time_is_up,
        was.FulfilmentRetried: _retried,
        was.FulfilmentStepSkipped: _skipped,
        was.FulfilmentCancelled: _cancelled,
    }
)
