"""How a fulfilment process changes with its order. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

from msgspec.structs import replace

from cqrs_app.areas.fulfilment.attempts import retried
from cqrs_app.areas.fulfilment.inputs import Approved, OrderChanged, Placed, Returned
from cqrs_app.areas.fulfilment.process import NOTHING, FulfilmentProcess, Goods, OrderedLine

GIVEN_UP = frozenset({"OrderCancelled", "OrderRejected"})

US = "fulfilment"
"""The actor under which this process sends its own commands."""


def approved(process: FulfilmentProcess, item: Approved) -> FulfilmentProcess:
    if process.begun:
        return process
    goods = dict(process.goods)
    for line in item.lines:
        before = goods.get(line.sku, Goods(wanted=0))
        goods[line.sku] = replace(before, wanted=before.wanted + line.quantity)
    return replace(
        process,
        begun=True,
        placed=True,
        currency=item.currency,
        total=item.total,
        policy=item.policy,
        lines=tuple(OrderedLine(line.sku, line.quantity) for line in item.lines),
        goods=goods,
    )


def placed(process: FulfilmentProcess, item: Placed) -> FulfilmentProcess:
    waits = bool(process.payments) and not process.placed
    return replace(process, placed=True) if waits else process


def order_changed(process: FulfilmentProcess, item: OrderChanged) -> FulfilmentProcess:
    if item.type in GIVEN_UP:
        # Kept for every order: a payment may still come in. Commands refused before are not sent
        # again.
        return replace(process, given_up=True, refused={})
    if not process.is_known:
        return process
    match item.type:
        case "OrderHeld":
            return replace(process, held=True, held_by_us=item.by == US)
        case "OrderReleased":
            released = replace(process, held=False, held_by_us=False)
            return released if item.by == US else retried(released)
        case "OrderShipped":
            return _shipped(process, item)
        case "OrderDelivered":
            return replace(process, delivered=True)
        case "RemainingItemsCancelled":
            return _remaining_cancelled(process, item)
        case "OrderLinesChanged":
            return _lines_changed(process, item)
    raise ValueError(f"{item.type} is not an input")


def _shipped(process: FulfilmentProcess, item: OrderChanged) -> FulfilmentProcess:
    goods = dict(process.goods)
    # Of an order that is not fulfilled here, only the payments are known.
    for sent in item.sent if process.begun else ():
        sku = process.lines[sent.line_no - 1].sku
        goods[sku] = replace(goods[sku], sent=goods[sku].sent + sent.quantity)
    return replace(process, shipped=True, goods=goods)


def _remaining_cancelled(process: FulfilmentProcess, item: OrderChanged) -> FulfilmentProcess:
    """Nothing else ships: fewer units are wanted, less is owed, and the hold ends."""
    process = replace(process, held=False, held_by_us=False)
    if not process.begun:
        return process
    more = Counter[str]()
    for cancelled in item.cancelled:
        more[process.lines[cancelled.line_no - 1].sku] -= cancelled.quantity
    return _costs_more(_wants_more(process, more), item.amount)


def _lines_changed(process: FulfilmentProcess, item: OrderChanged) -> FulfilmentProcess:
    """A command refused before the change may be accepted now."""
    if not process.begun:
        return process
    lines, more = list(process.lines), Counter[str]()
    for line_no, quantity in item.changed.items():
        before = lines[line_no - 1]
        more[before.sku] += quantity - before.quantity
        lines[line_no - 1] = replace(before, quantity=quantity)
    for line in item.added:
        more[line.sku] += line.quantity
    process = replace(process, lines=(*lines, *item.added), refused={})
    return _costs_more(_wants_more(process, more), item.amount)


def _wants_more(process: FulfilmentProcess, more: Mapping[str, int]) -> FulfilmentProcess:
    """Change the wanted units of each product by so many, up or down."""
    goods = dict(process.goods)
    for sku, units in more.items():
        before = goods.get(sku, Goods(wanted=0))
        again = before.outcome == "missing" or (before.outcome == "reserved" and units > 0)
        outcome = "" if again else before.outcome
        goods[sku] = replace(
            before, wanted=before.wanted + units, outcome=outcome, sentence="", arrived=False
        )
    return replace(process, goods=goods)


def _costs_more(process: FulfilmentProcess, amount: Decimal) -> FulfilmentProcess:
    """Change what the order costs; a negative amount is refunded where it was paid."""
    after = replace(process, total=process.total + amount)
    more = after.owed - process.owed
    if more > 0 and process.is_refunding:
        # Pending requests are settled when they are answered.
        return after
    return replace(after, refundable=max(process.refundable - more, NOTHING))


def returned(process: FulfilmentProcess, item: Returned) -> FulfilmentProcess:
    """These units are to be restocked, whoever fulfilled the order."""
    if not item.units:
        return process
    goods = dict(process.goods)
    for sku, units in item.units.items():
        before = goods.get(sku, Goods(wanted=0))
        goods[sku] = replace(before, restock=before.restock + units)
    if process.begun:
        return replace(process, goods=goods)
    return replace(process, goods=goods, shipped=True, delivered=True)
