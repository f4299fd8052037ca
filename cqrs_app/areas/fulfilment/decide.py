"""Which commands a fulfilment process sends next. Pure. Nothing is sent twice: commands that are
open or were refused are left out, and so is what the process already waits for. Any inputs, in any
order and however often, therefore lead to the same end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from cqrs_app.areas.fulfilment.evolve import evolve
from cqrs_app.areas.fulfilment.inputs import CommandsSent
from cqrs_app.areas.fulfilment.process import FulfilmentProcess, OutgoingCommand, Status
from cqrs_app.areas.fulfilment.stages import seconds_for, stage_of
from cqrs_app.areas.fulfilment.types import AfterDeclines, Step

LONGEST_ID = 60
RETURNED = "returned"
"""The reason of an adjustment of stock by what came back."""

Planned = tuple[str, str, dict[str, str]]
"""A command's name, its subject and its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The commands to send now, and the stage once they are sent. `within` is how many seconds the
    stage may take; None means no limit.
    """

    commands: tuple[OutgoingCommand, ...]
    status: Status
    within: int | None


def decide(process: FulfilmentProcess) -> Decision:
    commands = tuple(_commands(process))
    after = evolve(process, CommandsSent(commands)) if commands else process
    status = stage_of(after)
    return Decision(commands=commands, status=status, within=seconds_for(after, status))


def _commands(process: FulfilmentProcess) -> Iterator[OutgoingCommand]:
    # Looked up once: an order may have thousands of open commands.
    unwanted = {each.key for each in process.open.values()} | process.refused.keys()
    no = process.steps
    for name, subject, arguments in _planned(process):
        if f"{name} {subject}" not in unwanted:
            no += 1
            yield OutgoingCommand(no, name, subject, arguments)


def _planned(process: FulfilmentProcess) -> Iterator[Planned]:
    """The commands that the state calls for, whether or not they were already sent."""
    yield from _restock(process)
    if process.given_up:
        yield from _undo(process)
    elif process.begun:
        yield from _commit(process)
        yield from _release_excess(process)
        yield from _refund_difference(process)
        if process.cancel_reason:
            yield _order(process, "CancelOrder", reason="other", note=process.cancel_reason)
        elif not process.held or process.held_by_us:
            yield from _forward(process)


def _forward(process: FulfilmentProcess) -> Iterator[Planned]:
    if process.is_declined_for_good:
        yield from _release(process)
        note = "Declined for the last time."
        if process.policy and process.policy.after_declines is AfterDeclines.CANCEL:
            yield _order(process, "CancelOrder", reason="payment_failed", note=note)
        elif not process.held:
            yield _order(process, "HoldOrder", reason="payment_check", note=note)
        return
    yield from _reserve(process)
    if not process.stock_is_settled:
        if process.missing and not process.reserving and not process.held:
            yield _order(process, "HoldOrder", reason="stock_check", note=process.shortage)
        return
    if process.held_by_us:
        yield _order(process, "ReleaseOrder")
    yield from _pay(process)


def _reserve(process: FulfilmentProcess) -> Iterator[Planned]:
    for sku, goods in process.goods.items():
        if not goods.outcome and goods.to_ship > 0 and goods.to_commit <= 0:
            name = "ChangeReservation" if goods.held else "ReserveStock"
            yield _stock(process, name, sku, quantity=str(goods.to_ship))


def _commit(process: FulfilmentProcess) -> Iterator[Planned]:
    for sku, goods in process.goods.items():
        if goods.to_commit > 0:
            yield _stock(process, "CommitStock", sku, quantity=str(goods.to_commit))


def _restock(process: FulfilmentProcess) -> Iterator[Planned]:
    """Returned units to restock, whoever fulfilled the order."""
    note = f"Returned from order {process.order_id}."
    for sku, goods in process.goods.items():
        if goods.restock:
            arguments = {"sku": sku, "difference": str(goods.restock), "reason": RETURNED}
            yield "AdjustStock", sku, arguments | {"note": note}


def _release_excess(process: FulfilmentProcess) -> Iterator[Planned]:
    """Reservations of items that were cancelled or removed since."""
    for sku, goods in process.goods.items():
        if not goods.held or goods.sent > goods.committed:
            continue
        if goods.to_ship <= 0:
            yield _stock(process, "ReleaseStock", sku)
        elif goods.outcome == "reserved" and goods.held > goods.to_ship:
            yield _stock(process, "ChangeReservation", sku, quantity=str(goods.to_ship))


def _refund_difference(process: FulfilmentProcess) -> Iterator[Planned]:
    """The refund of what was paid beyond the order's total, from one payment after another."""
    waits = {asked for paid in process.payments.values() for asked in paid.waits}
    if process.to_refund and not waits & {"capture", "refund"}:
        for payment_id, paid in process.payments.items():
            if paid.currency == process.currency and paid.kept > 0:
                amount = str(min(process.to_refund, paid.kept))
                reason = f"Order {process.order_id} costs less now."
                yield _payment("RefundPayment", payment_id, amount=amount, reason=reason)
                return


def _release(process: FulfilmentProcess) -> Iterator[Planned]:
    for sku, goods in process.goods.items():
        if goods.held:
            yield _stock(process, "ReleaseStock", sku)


def _pay(process: FulfilmentProcess) -> Iterator[Planned]:
    if process.is_awaiting_money:
        return
    if process.is_paid:
        yield from _void_the_rest(process)
        return
    if process.waits_to_retry or process.foreign:
        # Money paid in another currency may be for this order, so nothing is charged in addition.
        return
    missing = process.owed - process.received
    for payment_id, paid in process.payments.items():
        if paid.declined and paid.to_void > 0:
            yield _payment("VoidPayment", payment_id, reason="Declined.")
        elif paid.currency == process.currency and paid.to_capture > 0:
            amount = str(min(missing, paid.to_capture))
            yield _payment("CapturePayment", payment_id, amount=amount)
            return
    if process.policy and process.policy.method and not _is_beginning_a_payment(process):
        yield _payment(
            "AuthorisePayment",
            payment_number(process.order_id, process.payments_begun + 1),
            order_id=process.order_id,
            amount=str(missing),
            currency=process.currency,
            method=process.policy.method,
        )


def _void_the_rest(process: FulfilmentProcess) -> Iterator[Planned]:
    """Authorisations beyond what was needed."""
    for payment_id, paid in process.payments.items():
        if paid.to_void > 0:
            yield _payment("VoidPayment", payment_id, reason="The order is paid.")


def _is_beginning_a_payment(process: FulfilmentProcess) -> bool:
    """Also one that was refused: another number would make no difference."""
    sent = (each.key for each in process.open.values())
    return any(key.startswith("AuthorisePayment ") for key in (*sent, *process.refused))


def _undo(process: FulfilmentProcess) -> Iterator[Planned]:
    """The way back: first the money, then the goods."""
    if Step.UNDOING in process.skipped:
        return
    reason = f"Order {process.order_id} was given up."
    for payment_id, paid in process.payments.items():
        if {"capture", "void", "refund"} & set(paid.waits):
            continue
        if "authorisation" in paid.waits or (paid.to_void > 0 and not paid.kept):
            yield _payment("VoidPayment", payment_id, reason=reason)
        elif paid.kept > 0:
            yield _payment("RefundPayment", payment_id, reason=reason)
    yield from _release(process)


def _stock(process: FulfilmentProcess, name: str, sku: str, **arguments: str) -> Planned:
    return name, sku, {"order_id": process.order_id, "sku": sku, **arguments}


def _payment(name: str, payment_id: str, **arguments: str) -> Planned:
    return name, payment_id, {"payment_id": payment_id, **arguments}


def _order(process: FulfilmentProcess, name: str, **arguments: str) -> Planned:
    return name, process.order_id, {"order_id": process.order_id, **arguments}


def payment_number(order_id: str, no: int) -> str:
    """The number of the n-th payment started for an order."""
    if len(order_id) > LONGEST_ID - 8:
        order_id = hashlib.sha256(order_id.encode()).hexdigest()[:32]
    return f"{order_id}-{no}"
