"""The life of an order in a file that has a time per status."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from cqrs_app.areas.orders.commands import (
    ApproveOrder,
    CancelOrder,
    DeliverOrder,
    RejectOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.transfer.imports.documents import Step

NO_REASON = "The imported history gives no reason."

LIFE: Mapping[str, Callable[[str], Command]] = {
    "approved": lambda order_id: ApproveOrder(order_id=order_id),
    "shipped": lambda order_id: ShipOrder(order_id=order_id),
    "delivered": lambda order_id: DeliverOrder(order_id=order_id),
    "rejected": lambda order_id: RejectOrder(order_id=order_id, reason=NO_REASON),
    "cancelled": lambda order_id: CancelOrder(
        order_id=order_id, reason=CancelReason.OTHER, note=NO_REASON
    ),
}
"""Status whose time a file may have -> the command it stands for. Shipping ships everything that
remains."""

LIFE_COMMANDS = (ApproveOrder, ShipOrder, DeliverOrder, RejectOrder, CancelOrder)

_IN_ORDER = tuple(LIFE)


def life_of(order_id: str, moments: Mapping[str, datetime]) -> Iterator[Step]:
    """The steps after placing, ordered by time; at equal times, in the order of a regular life."""
    for what in sorted(moments, key=lambda each: (moments[each], _IN_ORDER.index(each))):
        yield Step(moments[what], LIFE[what](order_id), what)
