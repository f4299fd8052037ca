"""An order's stage is decided here and nowhere else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.fulfilment.types import Stage as Step
from cqrs_app.areas.orders.words import OrderStatus

BEGINNING = Step.RESERVING
"""The step of an order that was just approved, before fulfilment has begun."""

_BY_STATUS = MappingProxyType(
    {
        OrderStatus.PLACED: OrderStage.NEEDS_APPROVAL,
        OrderStatus.PART_SHIPPED: OrderStage.PARTLY_SHIPPED,
        OrderStatus.SHIPPED: OrderStage.SHIPPED,
        OrderStatus.DELIVERED: OrderStage.DELIVERED,
        OrderStatus.CANCELLED: OrderStage.CANCELLED,
        OrderStatus.REJECTED: OrderStage.REJECTED,
    }
)
_HOLDING: Mapping[str, OrderStage] = MappingProxyType(
    {Step.UNPAID: OrderStage.PAYMENT_FAILED, Step.OUT_OF_STOCK: OrderStage.OUT_OF_STOCK}
)
"""Steps at which fulfilment itself holds the order. An order held by a person is paused."""
_UNDER_WAY: Mapping[str, OrderStage] = MappingProxyType(
    {
        Step.RESERVING: OrderStage.PROCESSING,
        Step.PAYING: OrderStage.AWAITING_PAYMENT,
        Step.PAYMENT_RETRY: OrderStage.AWAITING_PAYMENT,
        # Released or cancelled, which fulfilment has not processed yet.
        Step.PAUSED: OrderStage.PROCESSING,
        Step.UNDOING: OrderStage.PROCESSING,
        **_HOLDING,
    }
)


STEPS = frozenset({*_UNDER_WAY, Step.TO_SHIP})
"""The steps that refine the stage of an approved order. Fulfilment's other steps say nothing beyond
the order's status, or come before the approval.
"""


def stage_of(status: OrderStatus, step: str, *, returned: bool = False) -> OrderStage:
    """The stage of an order with this status and fulfilment `step`, one of STEPS; an empty step
    means that fulfilment does not handle the order. `returned`: everything that shipped came back.
    An approved order without fulfilment (imported history, or fulfilment off) is ready to ship.
    """
    if returned and status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        return OrderStage.RETURNED
    if status is OrderStatus.ON_HOLD:
        return _HOLDING.get(step, OrderStage.ON_HOLD)
    if status is OrderStatus.APPROVED:
        return _UNDER_WAY.get(step, OrderStage.READY_TO_SHIP)
    return _BY_STATUS[status]
