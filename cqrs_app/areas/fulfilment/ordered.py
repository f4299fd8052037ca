"""What an order asked for at some version: as placed, with the changes of its lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from cqrs_app.areas.fulfilment.codec import CODEC
from cqrs_app.areas.fulfilment.inputs import ordered_line
from cqrs_app.areas.fulfilment.process import OrderedLine
from cqrs_app.areas.orders.events import OrderLinesChanged, OrderPlaced, ReturnReceived
from cqrs_app.kernel import Event, Recorded
from cqrs_app.kernel.effects import StoredEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """`total` is in `currency`; lines by their numbers."""

    currency: str
    total: Decimal
    lines: tuple[OrderedLine, ...]


def order_until(recorded: Recorded, placed: OrderPlaced, history: Iterable[StoredEvent]) -> Ordered:
    """The order as it was at this event; `history` holds the events of its stream."""
    changes = (
        each
        for each in history
        if each.version < recorded.version and each.type == OrderLinesChanged.__name__
    )
    return ordered(placed, (each.event for each in CODEC.decode_all(changes)))


def ordered(placed: OrderPlaced, changes: Iterable[Event]) -> Ordered:
    lines, total = list(map(ordered_line, placed.lines)), placed.total
    for event in changes:
        if isinstance(event, OrderLinesChanged):
            for line in event.lines:
                before = lines[line.line_no - 1]
                lines[line.line_no - 1] = replace(before, quantity=line.quantity)
            lines += map(ordered_line, event.added)
            total = event.total
    return Ordered(currency=placed.currency, total=total, lines=tuple(lines))


def restocked(event: ReturnReceived, lines: Sequence[OrderedLine]) -> Mapping[str, int]:
    """Units that can be sold again, by product."""
    units = Counter[str]()
    for line in event.lines:
        if line.restocked:
            units[lines[line.line_no - 1].sku] += line.restocked
    return units
