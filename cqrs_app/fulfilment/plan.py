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
}
"""How many seconds each wait may take before it counts as late. Missing stock is asked for again
then; whatever else is late is shown as such."""

LONGEST_ID = 60


def tasks(way: OrderWay) -> Iterator[Task]:
    """What is to be sent now."""
    # Looked up once: an order may have thousands of tasks open.
    unwanted = {key_of(each.task, each.subject) for each in way.open.values()} | way.refused.keys()
    for task in _asked_for(way):
        if key_of(task.name, task.subject) not in unwanted:
            yield task


def _asked_for(way: OrderWay) -> Iterator[Task]:
    """What the state asks for, whether or not it was sent already."""
    if way.given_up:
        yield from _undo(way)
    elif way.begun:
        yield from _commit(way)
        if way.wanted_cancelled:
            yield _order(way, "CancelOrder", reason="other", note=way.wanted_cancelled)
        elif not way.held or way.held_by_us:
            yield from _forward(way)


def stand(way: OrderWay) -> Stand:
    """Where the order stands, in a sentence for operators."""
    stage, sentence = _stage(way)
    wants = tuple(sku for sku, each in way.goods.items() if _is_wanted(way, each))
    late = way.late and way.stand.stage == stage
    return Stand(stage, sentence, late, () if way.given_up else wants)


def seconds_for(way: OrderWay, where: Stand) -> int | None:
    """How long it may stand there; None for ever."""
    if where.late and where.stage != Stage.OUT_OF_STOCK:
        return None
    if where.stage == Stage.PAYMENT_RETRY and way.policy:
        return way.policy.retry_after[way.declines - 1]
    return PATIENCE.get(Stage(where.stage))


def waits_in(way: OrderWay) -> Step | None:
    """The step that can be skipped now."""
    if way.given_up:
        return Step.UNDOING
    if _is_declined_for_good(way):
        return Step.PAYMENT
    if not _stock_is_settled(way):
        return Step.STOCK
    return None if _is_paid(way) else Step.PAYMENT


def _forward(way: OrderWay) -> Iterator[Task]:
    if _is_declined_for_good(way):
        yield from _release(way)
        if way.policy and way.policy.after_declines is AfterDeclines.CANCEL:
            yield _order(
                way, "CancelOrder", reason="payment_failed", note="Declined for the last time."
            )
        elif not way.held:
            yield _order(
                way, "HoldOrder", reason="payment_check", note="Declined for the last time."
            )
        return
    yield from _reserve(way)
    if not _stock_is_settled(way):
        if _missing(way) and not _is_reserving(way) and not way.held:
            yield _order(way, "HoldOrder", reason="stock_check", note=_shortage(way))
        return
    if way.held_by_us:
        yield _order(way, "ReleaseOrder")
    yield from _pay(way)


def _reserve(way: OrderWay) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        if not goods.outcome and goods.wanted > goods.sent:
            quantity = str(goods.wanted - goods.sent)
            yield _about(way, "ReserveStock", sku, sku=sku, quantity=quantity)


def _commit(way: OrderWay) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        left = min(goods.sent - goods.committed, goods.held)
        if left > 0:
            yield _about(way, "CommitStock", sku, sku=sku, quantity=str(left))


def _release(way: OrderWay) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        if goods.held:
            yield _about(way, "ReleaseStock", sku, sku=sku)


def _pay(way: OrderWay) -> Iterator[Task]:
    if _is_answer_awaited(way):
        return
    if _is_paid(way):
        yield from _let_go(way)
        return
    if way.waits_to_retry:
        return
    missing = way.total - way.received
    for payment_id, paid in way.payments.items():
        if paid.declined and paid.to_void > 0:
            yield _about_payment("VoidPayment", payment_id, reason="Declined.")
        elif paid.currency == way.currency and paid.to_capture > 0:
            amount = str(min(missing, paid.to_capture))
            yield _about_payment("CapturePayment", payment_id, amount=amount)
            return
    if way.policy and way.policy.method and not _is_beginning_a_payment(way):
        payment_id = payment_number(way.order_id, way.payments_begun + 1)
        yield _about_payment(
            "AuthorisePayment",
            payment_id,
            order_id=way.order_id,
            amount=str(missing),
            currency=way.currency,
            method=way.policy.method,
        )


def _let_go(way: OrderWay) -> Iterator[Task]:
    """What is authorised beyond what was needed."""
    for payment_id, paid in way.payments.items():
        if paid.to_void > 0:
            yield _about_payment("VoidPayment", payment_id, reason="The order is paid.")


def _is_beginning_a_payment(way: OrderWay) -> bool:
    """Also one that was refused: another number would not change that."""
    asked = (key_of(each.task, each.subject) for each in way.open.values())
    return any(key.startswith("AuthorisePayment ") for key in (*asked, *way.refused))


def _undo(way: OrderWay) -> Iterator[Task]:
    """Backwards: first the money, then the goods."""
    if Step.UNDOING in way.skipped:
        return
    reason = f"Order {way.order_id} was given up."
    for payment_id, paid in way.payments.items():
        if {"capture", "void", "refund"} & set(paid.waits):
            continue
        if "authorisation" in paid.waits or (paid.to_void > 0 and not paid.kept):
            yield _about_payment("VoidPayment", payment_id, reason=reason)
        elif paid.kept > 0:
            yield _about_payment("RefundPayment", payment_id, reason=reason)
    yield from _release(way)


def _about(way: OrderWay, name: str, subject: str, **arguments: str) -> Task:
    return Task(name, subject, {"order_id": way.order_id} | arguments)


def _about_payment(name: str, payment_id: str, **arguments: str) -> Task:
    return Task(name, payment_id, {"payment_id": payment_id} | arguments)


def _order(way: OrderWay, name: str, **arguments: str) -> Task:
    return _about(way, name, way.order_id, **arguments)


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


def _is_wanted(way: OrderWay, goods: Goods) -> bool:
    """Whether its arrival would change something; also while it is asked for again."""
    again = way.stand.stage == Stage.OUT_OF_STOCK and not goods.outcome
    return goods.outcome == "missing" or again


def _is_reserving(way: OrderWay) -> bool:
    return any(each.task == "ReserveStock" for each in way.open.values())


def _is_paid(way: OrderWay) -> bool:
    return Step.PAYMENT in way.skipped or way.received >= way.total


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
    """Why somebody has to decide; what was refused here may be no reason: see its steps."""
    on_the_way = () if way.given_up else ("VoidPayment ",)
    harmless = ("HoldOrder ", "ReleaseOrder ", "CancelOrder ", *on_the_way)
    for key, sentence in way.refused.items():
        if not key.startswith(harmless):
            return sentence
    return ""


def _stage(way: OrderWay) -> tuple[Stage, str]:
    if way.given_up:
        return _undoing(way)
    if not way.begun:
        return _of_nobody(way)
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
        return _reserving(way)
    if not _is_paid(way):
        return _paying(way)
    return _leaving(way)


def _reserving(way: OrderWay) -> tuple[Stage, str]:
    if _is_reserving(way):
        # Asked for again, it waits where it waited.
        if way.stand.stage == Stage.OUT_OF_STOCK:
            return Stage.OUT_OF_STOCK, way.stand.sentence
    elif _missing(way):
        return Stage.OUT_OF_STOCK, _shortage(way)
    return Stage.RESERVING, "Its goods are being reserved."


def _paying(way: OrderWay) -> tuple[Stage, str]:
    if way.waits_to_retry:
        times = "once" if way.declines == 1 else f"{way.declines} times"
        return Stage.PAYMENT_RETRY, f"The payment was declined {times}; it is tried again."
    missing: Decimal = way.total - way.received
    return Stage.PAYING, f"{way.currency} {missing.normalize():f} is to be paid."


def _leaving(way: OrderWay) -> tuple[Stage, str]:
    if way.delivered:
        return Stage.DELIVERED, "Everything was delivered."
    if all(goods.sent >= goods.wanted for goods in way.goods.values()):
        return Stage.SHIPPED, "Everything has left."
    told = ["It may leave." if way.skipped else "Its goods are reserved and paid; it may leave."]
    told += [f"Skipped: {step.label.lower()}." for step in way.skipped]
    not_kept = [sku for sku, goods in way.goods.items() if goods.outcome == "not_kept"]
    if not_kept:
        told.append(f"No stock is kept of {', '.join(not_kept)}.")
    if way.received > way.total:
        more = (way.received - way.total).normalize()
        told.append(f"{way.currency} {more:f} was paid beyond what it costs.")
    return Stage.TO_SHIP, " ".join(told)[:500]


def _of_nobody(way: OrderWay) -> tuple[Stage, str]:
    """Where an order stands that was not approved, or before anybody saw to it."""
    if way.delivered:
        return Stage.DELIVERED, "It was delivered."
    if way.left:
        return Stage.SHIPPED, "It has left."
    if any(paid.waits or paid.kept > NOTHING or paid.to_void > 0 for paid in way.payments.values()):
        return Stage.AWAITING, "It is paid for, or about to be; it begins when it is approved."
    return Stage.UNDONE, "Nothing is owed."


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
