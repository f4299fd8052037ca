"""What an order's way asks for next, and where it stands: `decide`. Pure.

Nothing is asked for twice: a task that is open or was refused is left out, and what is waited for
is not asked for. So any fact, in any order and however often, leads to the same end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from cqrs_app.fulfilment.state import NOTHING, Goods, Stand
from cqrs_app.fulfilment.tasks import Task, key_of
from cqrs_app.fulfilment.words import AfterDeclines, Stage, Step

if TYPE_CHECKING:
    from cqrs_app.fulfilment.order_way import OrderWay

HOUR = 3600
DAY = 24 * HOUR
PATIENCE = {
    Stage.RESERVING: HOUR,
    Stage.OUT_OF_STOCK: DAY,
    Stage.PAYING: DAY,
    Stage.UNPAID: 7 * DAY,
    Stage.PAUSED: 7 * DAY,
    Stage.TO_SHIP: 2 * DAY,
    Stage.SHIPPED: 14 * DAY,
    Stage.UNDOING: DAY,
    Stage.STUCK: DAY,
    Stage.AWAITING: DAY,
}
"""How many seconds each wait may take before it counts as late. Missing stock is asked for again
then; whatever else is late is shown as such."""

LONGEST_ID = 60


def tasks(way: OrderWay) -> Iterator[Task]:
    """What is to be sent now."""
    if way.given_up:
        yield from _undo(way)
    elif way.begun:
        yield from _commit(way)
        if way.wanted_cancelled:
            yield from _order(way, "CancelOrder", reason="other", note=way.wanted_cancelled)
        elif not way.held or way.held_by_us:
            yield from _forward(way)


def stand(way: OrderWay) -> Stand:
    """Where the order stands, in a sentence for operators."""
    stage, sentence = _stage(way)
    wants = tuple(sku for sku, each in way.goods.items() if each.outcome == "missing")
    late = way.late and way.stand.stage == stage
    return Stand(stage, sentence, late, () if way.given_up else wants)


def seconds_for(way: OrderWay, where: Stand) -> int | None:
    """How long it may stand there; None for ever."""
    if where.late:
        return None
    if where.stage == Stage.PAYMENT_RETRY and way.policy:
        return way.policy.retry_after[way.declines - 1]
    return PATIENCE.get(Stage(where.stage))


def waits_in(way: OrderWay) -> Step | None:
    """The step that can be skipped now."""
    if way.given_up:
        return Step.UNDOING
    if not _stock_is_settled(way):
        return Step.STOCK
    return None if _is_paid(way) else Step.PAYMENT


def _forward(way: OrderWay) -> Iterator[Task]:
    if _is_declined_for_good(way):
        yield from _release(way)
        if way.policy and way.policy.after_declines is AfterDeclines.CANCEL:
            yield from _order(
                way, "CancelOrder", reason="payment_failed", note="Declined for the last time."
            )
        elif not way.held:
            yield from _order(
                way, "HoldOrder", reason="payment_check", note="Declined for the last time."
            )
        return
    yield from _reserve(way)
    if not _stock_is_settled(way):
        if _missing(way) and not _is_reserving(way) and not way.held:
            yield from _order(way, "HoldOrder", reason="stock_check", note=_shortage(way))
        return
    if way.held_by_us:
        yield from _order(way, "ReleaseOrder")
    yield from _pay(way)


def _reserve(way: OrderWay) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        if not goods.outcome and goods.wanted > goods.sent:
            quantity = str(goods.wanted - goods.sent)
            yield from _about(way, "ReserveStock", sku, sku=sku, quantity=quantity)


def _commit(way: OrderWay) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        left = min(goods.sent - goods.committed, goods.held)
        if left > 0:
            yield from _about(way, "CommitStock", sku, sku=sku, quantity=str(left))


def _release(way: OrderWay) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        if goods.held:
            yield from _about(way, "ReleaseStock", sku, sku=sku)


def _pay(way: OrderWay) -> Iterator[Task]:
    if _is_paid(way) or way.waits_to_retry or _is_answer_awaited(way):
        return
    missing = way.total - way.kept
    for payment_id, paid in way.payments.items():
        if paid.declined and paid.to_void > 0:
            yield from _about_payment(way, "VoidPayment", payment_id, reason="Declined.")
        elif paid.currency == way.currency and paid.to_capture > 0:
            amount = str(min(missing, paid.to_capture))
            yield from _about_payment(way, "CapturePayment", payment_id, amount=amount)
            return
    if (
        way.policy
        and way.policy.method
        and not any(open_.task == "AuthorisePayment" for open_ in way.open.values())
    ):
        payment_id = payment_number(way.order_id, way.payments_begun + 1)
        task = Task(
            "AuthorisePayment",
            payment_id,
            {
                "payment_id": payment_id,
                "order_id": way.order_id,
                "amount": str(missing),
                "currency": way.currency,
                "method": way.policy.method,
            },
        )
        if not any(key.startswith("AuthorisePayment ") for key in way.refused):
            yield task


def _undo(way: OrderWay) -> Iterator[Task]:
    """Backwards: first the money, then the goods."""
    if Step.UNDOING in way.skipped:
        return
    reason = f"Order {way.order_id} was given up."
    for payment_id, paid in way.payments.items():
        if {"capture", "void", "refund"} & set(paid.waits):
            continue
        if "authorisation" in paid.waits or (paid.to_void > 0 and not paid.kept):
            yield from _about_payment(way, "VoidPayment", payment_id, reason=reason)
        elif paid.kept > 0:
            yield from _about_payment(way, "RefundPayment", payment_id, reason=reason)
    yield from _release(way)


def _about(way: OrderWay, name: str, subject: str, **arguments: str) -> Iterator[Task]:
    is_open = any((each.task, each.subject) == (name, subject) for each in way.open.values())
    if not is_open and key_of(name, subject) not in way.refused:
        yield Task(name, subject, {"order_id": way.order_id} | arguments)


def _about_payment(way: OrderWay, name: str, payment_id: str, **arguments: str) -> Iterator[Task]:
    for task in _about(way, name, payment_id):
        yield Task(task.name, task.subject, {"payment_id": payment_id} | arguments)


def _order(way: OrderWay, name: str, **arguments: str) -> Iterator[Task]:
    yield from _about(way, name, way.order_id, **arguments)


def payment_number(order_id: str, no: int) -> str:
    """The number of the n-th payment that is begun for an order."""
    if len(order_id) > LONGEST_ID - 8:
        order_id = hashlib.sha256(order_id.encode()).hexdigest()[:32]
    return f"{order_id}-{no}"


def _stock_is_settled(way: OrderWay) -> bool:
    return Step.STOCK in way.skipped or all(
        goods.outcome in ("reserved", "not_kept") or goods.sent >= goods.wanted
        for goods in way.goods.values()
    )


def _missing(way: OrderWay) -> dict[str, Goods]:
    return {sku: goods for sku, goods in way.goods.items() if goods.outcome == "missing"}


def _is_reserving(way: OrderWay) -> bool:
    return any(each.task == "ReserveStock" for each in way.open.values())


def _is_paid(way: OrderWay) -> bool:
    return Step.PAYMENT in way.skipped or way.kept >= way.total


def _is_declined_for_good(way: OrderWay) -> bool:
    retries = len(way.policy.retry_after) if way.policy else 0
    return way.declines > retries and not _is_paid(way)


def _is_answer_awaited(way: OrderWay) -> bool:
    return any(
        asked in paid.waits
        for paid in way.payments.values()
        for asked in ("authorisation", "capture")
    )


def _shortage(way: OrderWay) -> str:
    return " ".join(f"{sku}: {goods.sentence}" for sku, goods in _missing(way).items())[:500]


def _trouble(way: OrderWay) -> str:
    """Why somebody has to decide; that the order cannot be held or released is no reason."""
    for key, sentence in way.refused.items():
        if not key.startswith(("HoldOrder ", "ReleaseOrder ")):
            return sentence
    return ""


def _stage(way: OrderWay) -> tuple[Stage, str]:
    if way.given_up:
        return _undoing(way)
    if not way.begun:
        return Stage.AWAITING, "It is paid for, or about to be, and waits to be approved."
    trouble = _trouble(way)
    if trouble:
        return Stage.STUCK, trouble
    if way.wanted_cancelled:
        return Stage.UNDOING, "The order is being cancelled."
    if way.held and not way.held_by_us:
        return Stage.PAUSED, "The order is on hold; it goes on when the order is released."
    if _is_declined_for_good(way):
        return Stage.UNPAID, "The payment was declined for the last time; nothing is reserved."
    if not _stock_is_settled(way):
        if _missing(way) and not _is_reserving(way):
            return Stage.OUT_OF_STOCK, _shortage(way)
        return Stage.RESERVING, "Its goods are being reserved."
    if not _is_paid(way):
        return _paying(way)
    return _leaving(way)


def _paying(way: OrderWay) -> tuple[Stage, str]:
    if way.waits_to_retry:
        times = "once" if way.declines == 1 else f"{way.declines} times"
        return Stage.PAYMENT_RETRY, f"The payment was declined {times}; it is tried again."
    missing: Decimal = way.total - way.kept
    return Stage.PAYING, f"{way.currency} {missing.normalize():f} is to be paid."


def _leaving(way: OrderWay) -> tuple[Stage, str]:
    if way.delivered:
        return Stage.DELIVERED, "Everything was delivered."
    if all(goods.sent >= goods.wanted for goods in way.goods.values()):
        return Stage.SHIPPED, "Everything has left."
    not_kept = [sku for sku, goods in way.goods.items() if goods.outcome == "not_kept"]
    if not_kept:
        return Stage.TO_SHIP, f"It may leave. No stock is kept of {', '.join(not_kept)}."[:500]
    return Stage.TO_SHIP, "Its goods are reserved and paid; it may leave."


def _undoing(way: OrderWay) -> tuple[Stage, str]:
    if Step.UNDOING in way.skipped:
        return Stage.UNDONE, "It was left as it is by a supervisor."
    trouble = _trouble(way)
    if trouble:
        return Stage.STUCK, trouble
    owed = any(
        paid.waits or paid.kept > NOTHING or paid.to_void > 0 for paid in way.payments.values()
    )
    reserved = any(goods.held for goods in way.goods.values())
    if owed or reserved or way.open:
        return Stage.UNDOING, "Payments are given back and reserved goods released."
    return Stage.UNDONE, "Nothing is reserved and nothing is owed."
