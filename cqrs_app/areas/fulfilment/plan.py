"""Which tasks an order's way asks for next: `decide`, its first half. Pure.

Nothing is asked for twice: a task that is open or was refused is left out, and what is waited for
is not asked for. So any fact, in any order and however often, leads to the same end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cqrs_app.areas.fulfilment.tasks import Task, key_of
from cqrs_app.areas.fulfilment.way_state import WayState
from cqrs_app.areas.fulfilment.words import AfterDeclines, Step

LONGEST_ID = 60


def tasks(way: WayState) -> Iterator[Task]:
    """What is to be sent now."""
    # Looked up once: an order may have thousands of tasks open.
    unwanted = {key_of(each.task, each.subject) for each in way.open.values()} | way.refused.keys()
    for task in _asked_for(way):
        if key_of(task.name, task.subject) not in unwanted:
            yield task


def _asked_for(way: WayState) -> Iterator[Task]:
    """What the state asks for, whether or not it was sent already."""
    if way.given_up:
        yield from _undo(way)
    elif way.begun:
        yield from _commit(way)
        if way.wanted_cancelled:
            yield _order(way, "CancelOrder", reason="other", note=way.wanted_cancelled)
        elif not way.held or way.held_by_us:
            yield from _forward(way)


def _forward(way: WayState) -> Iterator[Task]:
    if way.is_declined_for_good:
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
    if not way.stock_is_settled:
        if way.missing and not way.is_reserving and not way.held:
            yield _order(way, "HoldOrder", reason="stock_check", note=way.shortage)
        return
    if way.held_by_us:
        yield _order(way, "ReleaseOrder")
    yield from _pay(way)


def _reserve(way: WayState) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        if not goods.outcome and goods.wanted > goods.sent:
            quantity = str(goods.wanted - goods.sent)
            yield _about(way, "ReserveStock", sku, sku=sku, quantity=quantity)


def _commit(way: WayState) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        left = min(goods.sent - goods.committed, goods.held)
        if left > 0:
            yield _about(way, "CommitStock", sku, sku=sku, quantity=str(left))


def _release(way: WayState) -> Iterator[Task]:
    for sku, goods in way.goods.items():
        if goods.held:
            yield _about(way, "ReleaseStock", sku, sku=sku)


def _pay(way: WayState) -> Iterator[Task]:
    if _is_answer_awaited(way):
        return
    if way.is_paid:
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


def _let_go(way: WayState) -> Iterator[Task]:
    """What is authorised beyond what was needed."""
    for payment_id, paid in way.payments.items():
        if paid.to_void > 0:
            yield _about_payment("VoidPayment", payment_id, reason="The order is paid.")


def _is_beginning_a_payment(way: WayState) -> bool:
    """Also one that was refused: another number would not change that."""
    asked = (key_of(each.task, each.subject) for each in way.open.values())
    return any(key.startswith("AuthorisePayment ") for key in (*asked, *way.refused))


def _undo(way: WayState) -> Iterator[Task]:
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


def _about(way: WayState, name: str, subject: str, **arguments: str) -> Task:
    return Task(name, subject, {"order_id": way.order_id} | arguments)


def _about_payment(name: str, payment_id: str, **arguments: str) -> Task:
    return Task(name, payment_id, {"payment_id": payment_id} | arguments)


def _order(way: WayState, name: str, **arguments: str) -> Task:
    return _about(way, name, way.order_id, **arguments)


def payment_number(order_id: str, no: int) -> str:
    """The number of the n-th payment that is begun for an order."""
    if len(order_id) > LONGEST_ID - 8:
        order_id = hashlib.sha256(order_id.encode()).hexdigest()[:32]
    return f"{order_id}-{no}"


def _is_answer_awaited(way: WayState) -> bool:
    return any(
        asked in paid.waits
        for paid in way.payments.values()
        for asked in ("authorisation", "capture")
    )
