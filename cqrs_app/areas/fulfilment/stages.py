"""Where an order on its way stands, in a sentence, and for how long it may: `decide`, its second
half. Pure."""

from __future__ import annotations

from decimal import Decimal

from cqrs_app.areas.fulfilment.state import NOTHING, Goods, Stand
from cqrs_app.areas.fulfilment.way_state import WayState
from cqrs_app.areas.fulfilment.words import Stage, Step

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


def stand(way: WayState) -> Stand:
    """Where the order stands, in a sentence for operators."""
    stage, sentence = _stage(way)
    wants = tuple(sku for sku, each in way.goods.items() if _is_wanted(way, each))
    late = way.late and way.stand.stage == stage
    return Stand(stage, sentence, late, () if way.given_up else wants)


def seconds_for(way: WayState, where: Stand) -> int | None:
    """How long it may stand there; None for ever."""
    if where.late and where.stage != Stage.OUT_OF_STOCK:
        return None
    if where.stage == Stage.PAYMENT_RETRY and way.policy:
        return way.policy.retry_after[way.declines - 1]
    return PATIENCE.get(Stage(where.stage))


def _stage(way: WayState) -> tuple[Stage, str]:
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
    if way.is_declined_for_good:
        return Stage.UNPAID, "The payment was declined for the last time; nothing is reserved."
    if not way.stock_is_settled:
        return _reserving(way)
    if not way.is_paid:
        return _paying(way)
    return _leaving(way)


def _reserving(way: WayState) -> tuple[Stage, str]:
    if way.is_reserving:
        # Asked for again, it waits where it waited.
        if way.stand.stage == Stage.OUT_OF_STOCK:
            return Stage.OUT_OF_STOCK, way.stand.sentence
    elif way.missing:
        return Stage.OUT_OF_STOCK, way.shortage
    return Stage.RESERVING, "Its goods are being reserved."


def _paying(way: WayState) -> tuple[Stage, str]:
    if way.waits_to_retry:
        times = "once" if way.declines == 1 else f"{way.declines} times"
        return Stage.PAYMENT_RETRY, f"The payment was declined {times}; it is tried again."
    missing: Decimal = way.total - way.received
    return Stage.PAYING, f"{way.currency} {missing.normalize():f} is to be paid."


def _leaving(way: WayState) -> tuple[Stage, str]:
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


def _of_nobody(way: WayState) -> tuple[Stage, str]:
    """Where an order stands that was not approved, or before anybody saw to it."""
    if way.delivered:
        return Stage.DELIVERED, "It was delivered."
    if way.left:
        return Stage.SHIPPED, "It has left."
    if _is_owed(way):
        return Stage.AWAITING, "It is paid for, or about to be; it begins when it is approved."
    return Stage.UNDONE, "Nothing is owed."


def _undoing(way: WayState) -> tuple[Stage, str]:
    if Step.UNDOING in way.skipped:
        return Stage.UNDONE, "It was left as it is by a supervisor."
    trouble = _trouble(way)
    if trouble:
        return Stage.STUCK, trouble
    reserved = any(goods.held for goods in way.goods.values())
    if _is_owed(way) or reserved or way.open:
        return Stage.UNDOING, "Payments are given back and reserved goods released."
    return Stage.UNDONE, "Nothing is reserved and nothing is owed."


def _trouble(way: WayState) -> str:
    """Why somebody has to decide; what was refused here may be no reason: see its steps."""
    on_the_way = () if way.given_up else ("VoidPayment ",)
    harmless = ("HoldOrder ", "ReleaseOrder ", "CancelOrder ", *on_the_way)
    for key, sentence in way.refused.items():
        if not key.startswith(harmless):
            return sentence
    return ""


def _is_owed(way: WayState) -> bool:
    """Whether money of this order is here, or about to come or go."""
    return any(
        paid.waits or paid.kept > NOTHING or paid.to_void > 0 for paid in way.payments.values()
    )


def _is_wanted(way: WayState, goods: Goods) -> bool:
    """Whether its arrival would change something; also while it is asked for again."""
    again = way.stand.stage == Stage.OUT_OF_STOCK and not goods.outcome
    return goods.outcome == "missing" or again
