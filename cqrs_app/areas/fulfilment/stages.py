"""An order's stage as a sentence, and how long it may take. Pure."""

from __future__ import annotations

from cqrs_app.areas.fulfilment.process import FulfilmentProcess, Goods, Status
from cqrs_app.areas.fulfilment.types import Stage, Step
from cqrs_app.areas.types import WaitsFor
from cqrs_app.standards.money import exact

HOUR = 3600
DAY = 24 * HOUR
_BY_ITSELF = frozenset(
    {Stage.RESERVING, Stage.PAYMENT_RETRY, Stage.UNDOING, Stage.DELIVERED, Stage.UNDONE}
)
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
"""How many seconds each wait may take before it is late. Missing stock is then reserved again; any
other late stage is only marked.
"""


def stage_of(process: FulfilmentProcess) -> Status:
    """The stage, why in a sentence for operators, and whether it has taken too long."""
    stage, sentence = _stage(process)
    late = process.status.stage == stage and (process.overdue or process.status.late)
    return Status(stage, sentence, late)


def waits_for(process: FulfilmentProcess) -> WaitsFor:
    """Who has to act before the order continues."""
    stage = process.status.stage
    waits = any(paid.waits for paid in process.payments.values())
    by_hand = process.policy is None or not process.policy.method
    if stage in (Stage.PAYING, Stage.UNDOING) and waits:
        return WaitsFor.PERSON if by_hand else WaitsFor.GATEWAY
    return WaitsFor.NOBODY if stage in _BY_ITSELF else WaitsFor.PERSON


def seconds_for(process: FulfilmentProcess, status: Status) -> int | None:
    """How long a stage may take; None without a limit."""
    if status.late and status.stage != Stage.OUT_OF_STOCK:
        return None
    if status.stage == Stage.PAYMENT_RETRY and process.policy:
        return process.policy.retry_after[process.declines - 1]
    return PATIENCE.get(Stage(status.stage))


def _stage(process: FulfilmentProcess) -> tuple[Stage, str]:
    if process.given_up:
        return _undoing(process)
    if not process.begun:
        return _not_begun(process)
    trouble = _trouble(process)
    if trouble:
        return Stage.STUCK, trouble
    if process.cancel_reason:
        return Stage.UNDOING, "The order is being cancelled."
    if process.held and not process.held_by_us:
        return Stage.PAUSED, "The order is on hold. It continues when the order is released."
    if process.is_declined_for_good:
        return Stage.UNPAID, "The payment was declined for the last time. Nothing is reserved."
    if not process.stock_is_settled:
        return _reserving(process)
    if not process.is_paid:
        return _foreign(process) or _paying(process)
    return _leaving(process)


def _reserving(process: FulfilmentProcess) -> tuple[Stage, str]:
    if process.reserving:
        # A repeated reservation waits at the same stage.
        if process.status.stage == Stage.OUT_OF_STOCK:
            return Stage.OUT_OF_STOCK, process.status.sentence
    elif process.missing:
        return Stage.OUT_OF_STOCK, process.shortage
    return Stage.RESERVING, "Reserving stock."


def _foreign(process: FulfilmentProcess) -> tuple[Stage, str] | None:
    for payment_id, paid in process.foreign.items():
        return Stage.STUCK, (
            f"Payment {payment_id} is in {paid.currency}, the order in {process.currency}; nothing "
            f"else is charged meanwhile. Refund or void it, move it to another order, or skip "
            f"the payment."
        )
    return None


def _paying(process: FulfilmentProcess) -> tuple[Stage, str]:
    if process.waits_to_retry:
        times = "once" if process.declines == 1 else f"{process.declines} times"
        return Stage.PAYMENT_RETRY, f"The payment was declined {times}. It will be retried."
    missing = exact(process.owed - process.received, process.currency)
    due = f"{process.currency} {missing:f}"
    return (
        Stage.PAYING,
        f"{due} is being charged." if process.is_charging else f"{due} outstanding.",
    )


def _leaving(process: FulfilmentProcess) -> tuple[Stage, str]:
    if process.delivered:
        return Stage.DELIVERED, _joined("Everything was delivered.", _beyond(process))
    if all(goods.to_ship <= 0 for goods in process.goods.values()):
        return Stage.SHIPPED, _joined("Everything has shipped.", _beyond(process))
    what = "The rest is reserved and paid" if _has_begun_to_leave(process) else "Reserved and paid"
    parts = ["Ready to ship." if process.skipped else f"{what}. Ready to ship."]
    parts += [f"Skipped: {step.label.lower()}." for step in process.skipped]
    not_kept = [sku for sku, goods in process.goods.items() if _is_not_kept(goods)]
    if not_kept:
        parts.append(f"Not stocked: {', '.join(not_kept)}.")
    return Stage.TO_SHIP, _joined(*parts, _beyond(process))


def _has_begun_to_leave(process: FulfilmentProcess) -> bool:
    return any(goods.sent for goods in process.goods.values())


def _is_not_kept(goods: Goods) -> bool:
    return goods.outcome == "not_kept" and goods.to_ship > 0


def _beyond(process: FulfilmentProcess) -> str:
    """By how much the order is overpaid, and what happens to that amount."""
    refund, rest = process.to_refund, process.overpaid - process.to_refund
    sentences = (
        (refund, "is being refunded: the order costs less now."),
        (rest, "overpaid. Refund it, or move it to the right order."),
    )
    return _joined(
        *(
            f"{process.currency} {exact(amount, process.currency):f} {what}"
            for amount, what in sentences
            if amount
        )
    )


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))[:500]


def _not_begun(process: FulfilmentProcess) -> tuple[Stage, str]:
    """Of an order that was not approved, or was approved in history."""
    if process.delivered:
        return Stage.DELIVERED, "It was delivered."
    if process.shipped:
        return Stage.SHIPPED, "It has shipped."
    if process.is_owed and not process.placed:
        return Stage.STUCK, (
            f"There is no order {process.order_id}. Move the payment to the right order, or "
            f"refund or void it."
        )
    if process.is_owed:
        return Stage.AWAITING, "Paid, or payment under way. Starts when the order is approved."
    return Stage.UNDONE, "Nothing is owed."


def _undoing(process: FulfilmentProcess) -> tuple[Stage, str]:
    if Step.UNDOING in process.skipped:
        return Stage.UNDONE, "Left as it is by a supervisor."
    trouble = _trouble(process)
    if trouble:
        return Stage.STUCK, trouble
    reserved = any(goods.held for goods in process.goods.values())
    if process.is_owed or reserved or process.open:
        return Stage.UNDOING, "Refunding payments and releasing stock."
    return Stage.UNDONE, "Stock released, payments refunded."


def _trouble(process: FulfilmentProcess) -> str:
    """Why somebody has to decide; empty where nothing that was refused needs a decision."""
    forward = () if process.given_up else ("VoidPayment ",)
    harmless = ("HoldOrder ", "ReleaseOrder ", "CancelOrder ", *forward)
    for key, sentence in process.refused.items():
        if not key.startswith(harmless):
            return sentence
    return ""
