"""An order's stage: decided here and nowhere else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cqrs_app.areas.desk.words import OrderStage
from cqrs_app.areas.fulfilment.types import Stage as Step
from cqrs_app.areas.orders.words import OrderStatus

BEGINNING = Step.RESERVING
"""Of an order that was just approved and that fulfilment is about to take on."""

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
"""Steps at which fulfilment itself puts the order on hold. One that a person holds is paused."""
_UNDER_WAY: Mapping[str, OrderStage] = MappingProxyType(
    {
        Step.RESERVING: OrderStage.PROCESSING,
        Step.PAYING: OrderStage.AWAITING_PAYMENT,
        Step.PAYMENT_RETRY: OrderStage.AWAITING_PAYMENT,
        # Released or not cancelled yet: fulfilment has not followed.
        Step.PAUSED: OrderStage.PROCESSING,
        Step.UNDOING: OrderStage.PROCESSING,
        **_HOLDING,
    }
)


STEPS = frozenset({*_UNDER_WAY, Step.TO_SHIP})
"""What fulfilment does to an approved order. Its other stages say nothing that the order's status
does not say, or say it before the order is approved."""


def stage_of(status: OrderStatus, step: str, *, returned: bool = False) -> OrderStage:
    """The stage of an order with this status whose fulfilment is at `step`, the last of STEPS.
    That is empty where fulfilment does not see to it. `returned`: all that shipped came back.

    An approved order that fulfilment does not see to (history, or with fulfilment off) is ready to
    ship.
    """
    if returned and status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        return OrderStage.RETURNED
    if status is OrderStatus.ON_HOLD:
        return _HOLDING.get(step, OrderStage.ON_HOLD)
    if status is OrderStatus.APPROVED:
        return _UNDER_WAY.get(step, OrderStage.READY_TO_SHIP)
    return _BY_STATUS[status]
