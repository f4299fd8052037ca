"""How a fulfilment process changes with each input. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from cqrs_app.areas.fulfilment.attempts import retried, try_stock_again
from cqrs_app.areas.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentRetried,
    FulfilmentStepSkipped,
)
from cqrs_app.areas.fulfilment.evolve_commands import command_ended, commands_sent
from cqrs_app.areas.fulfilment.evolve_order import (
    approved,
    order_changed,
    placed,
    returned,
)
from cqrs_app.areas.fulfilment.evolve_payments import payment_changed, payment_moved
from cqrs_app.areas.fulfilment.inputs import (
    Approved,
    CommandEnded,
    CommandsSent,
    DeadlinePassed,
    Input,
    Moved,
    OrderChanged,
    PaymentChanged,
    PaymentMoved,
    Placed,
    Returned,
    StockArrived,
)
from cqrs_app.areas.fulfilment.process import FulfilmentProcess, Goods
from cqrs_app.areas.fulfilment.types import Step

RESERVED_STOCK = ("CommitStock", "ReleaseStock", "ChangeReservation")


def evolve(process: FulfilmentProcess, item: Input) -> FulfilmentProcess:
    """The process after an input; the same object if the input changes nothing."""
    return _EVOLVES[type(item)](process, item)


def _stock(process: FulfilmentProcess, item: StockArrived) -> FulfilmentProcess:
    if item.sku not in process.wants:
        return process
    if item.sku in process.reserving:
        # The reservation may have been refused already: it is tried again.
        goods = replace(process.goods[item.sku], arrived=True)
        process = replace(process, goods=process.goods | {item.sku: goods})
    return try_stock_again(process)


def _deadline_passed(process: FulfilmentProcess, item: DeadlinePassed) -> FulfilmentProcess:
    return try_stock_again(replace(process, waits_to_retry=False, overdue=True, due_at=None))


def _moved(process: FulfilmentProcess, item: Moved) -> FulfilmentProcess:
    return replace(process, status=item.status, due_at=item.due_at, overdue=False)


def _retried(process: FulfilmentProcess, item: FulfilmentRetried) -> FulfilmentProcess:
    return retried(process)


def _skipped(process: FulfilmentProcess, item: FulfilmentStepSkipped) -> FulfilmentProcess:
    skipped = dict.fromkeys((*process.skipped, Step(item.step)))
    goods = {
        # A failed stock change that a person has to correct.
        sku: _left_to_people(sku, each, process.refused.keys())
        for sku, each in process.goods.items()
    }
    return replace(process, skipped=tuple(skipped), goods=goods, refused={})


def _left_to_people(sku: str, goods: Goods, refused: Set[str]) -> Goods:
    if any(f"{name} {sku}" in refused for name in RESERVED_STOCK):
        goods = replace(goods, held=0)
    return replace(goods, restock=0) if f"AdjustStock {sku}" in refused else goods


def _cancelled(process: FulfilmentProcess, item: FulfilmentCancelled) -> FulfilmentProcess:
    return replace(process, cancel_reason=item.reason)


_EVOLVES: Mapping[type, Callable[[FulfilmentProcess, Any], FulfilmentProcess]] = MappingProxyType(
    {
        Approved: approved,
        OrderChanged: order_changed,
        Returned: returned,
        PaymentChanged: payment_changed,
        PaymentMoved: payment_moved,
        Placed: placed,
        StockArrived: _stock,
        CommandsSent: commands_sent,
        CommandEnded: command_ended,
        DeadlinePassed: _deadline_passed,
        Moved: _moved,
        FulfilmentRetried: _retried,
        FulfilmentStepSkipped: _skipped,
        FulfilmentCancelled: _cancelled,
    }
)
