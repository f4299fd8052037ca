"""Who works on an order, in a stream beside the order's: an order's version does not change."""

from __future__ import annotations

from cqrs_app.kernel import Event, event


@event()
class AssigneeChanged(Event):
    """Either `operator` or `team` is given."""

    order_id: str
    operator: str
    team: str
    note: str


@event()
class AssigneeRemoved(Event):
    order_id: str
    note: str


@event()
class OrderTakenOver(Event):
    """Claimed by an operator while `holder` had claimed it."""

    order_id: str
    holder: str
    note: str


@event()
class OrderSkipped(Event):
    """An operator left it out of their queue for the day."""

    order_id: str
    reason: str
