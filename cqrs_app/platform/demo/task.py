"""Lets time pass in the demo shop while somebody looks."""

from __future__ import annotations

import logging
from datetime import timedelta
from random import Random
from typing import ClassVar

from sqlalchemy import case, exists, insert, select, update

from cqrs_app.areas.desk.queries.one_order import GetOrder, OrderView
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.fulfilment.queries import ListFulfilments
from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.inventory.queries.product_list import ListProducts, Shown
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.demo.life import OPENING, Shop, next_command
from cqrs_app.platform.demo.shop import SEED, customers_of, order_number
from cqrs_app.platform.demo.tables import demo_shop
from cqrs_app.platform.operators.roles import system_actor
from cqrs_app.platform.operators.tables import sessions

logger = logging.getLogger("countersign")

FIRST_STEPS = len(OPENING)
FIRST_SECONDS = 0.5
"""The pace of the opening, after which every page has something to show."""
WATCHED_FOR = timedelta(minutes=10)
"""How long after the last page that was asked for time still passes."""
_SHOP = "shop"
_columns = demo_shop.c


class DemoLife(BackgroundTask):
    """Something happens every `seconds`. Only in a store that `load_if_empty` has filled with
    `orders`."""

    name: ClassVar[str] = "demo"

    def __init__(self, orders: int, seconds: float) -> None:
        self._orders = orders
        self._first, self._later = (
            Lease(timedelta(seconds=length)) for length in (min(FIRST_SECONDS, seconds), seconds)
        )

    def due(self, kernel: Kernel) -> list[str]:
        watched = exists().where(sessions.c.seen_at > kernel.clock() - WATCHED_FOR)
        found = select(_columns.id).where(
            self._later.is_free(_columns.until), (_columns.steps < FIRST_STEPS) | watched
        )
        with reader_of(kernel.engines.write).connect() as connection:
            return [_SHOP] if connection.execute(found).first() else []

    def work(self, kernel: Kernel, key: str) -> bool:
        step = self._take(kernel)
        if step is None:
            return False
        actor = system_actor("demo", *kernel.registry.roles["admin"])
        shop = _shop(kernel, actor, self._orders, step)
        command = next_command(Random(SEED + step), shop, step)
        if command is None:
            return False
        try:
            kernel.commands.execute(
                command, Context(actor=actor, channel="demo", command_id=f"demo-{step}")
            )
        except BusError as error:
            # Somebody was faster, or the rules forbid it: the log says so.
            logger.info("demo: %s", error.sentence)
        return False

    def _take(self, kernel: Kernel) -> int | None:
        """The number of this step; None if another process has taken it."""
        first = _columns.steps < FIRST_STEPS
        taken = (
            update(demo_shop)
            .where(self._later.is_free(_columns.until))
            .values(
                steps=_columns.steps + 1,
                until=case((first, self._first.end()), else_=self._later.end()),
            )
            .returning(_columns.steps)
        )
        with kernel.engines.write.begin() as connection:
            step: int | None = connection.execute(taken).scalar_one_or_none()
            return step


def open_shop(kernel: Kernel) -> None:
    """From now on time may pass: see DemoLife."""
    with kernel.engines.write.begin() as connection:
        connection.execute(insert(demo_shop).values(id=1, steps=0))


def _shop(kernel: Kernel, actor: Actor, orders: int, step: int) -> Shop:
    def ids(query: Query) -> list[str]:
        answer = kernel.queries.ask(query, QueryContext(actor=actor, cached=False))
        return [row.order_id for row in answer.value.rows]

    def by_status(status: OrderStatus) -> list[str]:
        return ids(ListOrders(status=(status,), imported=False, descending=False, limit=50))

    def by_stage(stage: Stage) -> list[str]:
        return ids(ListFulfilments(stage=stage, limit=50))

    def order(order_id: str) -> OrderView | None:
        context = QueryContext(actor=actor)
        found: OrderView | None = kernel.queries.ask(GetOrder(order_id=order_id), context).value
        return found

    ready, delivered = by_stage(Stage.TO_SHIP), by_status(OrderStatus.DELIVERED)
    # Each time another one; in the opening one of two, so that something comes back.
    which = step % (2 if step <= FIRST_STEPS else max(1, len(delivered)))
    delivered = delivered[which:]
    returns = sent_back.returns if delivered and (sent_back := order(delivered[0])) else ()
    missing = kernel.queries.ask(
        ListProducts(show=Shown.LOW, limit=10), QueryContext(actor=actor, cached=False)
    )
    return Shop(
        customers=customers_of(orders),
        next_order=order_number(orders + step),
        last_order=order_number(orders + step - 1),
        to_approve=by_status(OrderStatus.PLACED),
        to_ship=ready,
        left=[line.left for line in sent.lines] if ready and (sent := order(ready[0])) else (),
        to_deliver=by_status(OrderStatus.SHIPPED),
        delivered=delivered,
        open_return=next((each.return_id for each in returns if each.closed_at is None), ""),
        short=[row.sku for row in missing.value.rows] if by_stage(Stage.OUT_OF_STOCK) else [],
        declined=sorted(by_stage(Stage.PAYMENT_RETRY)),
        unpaid=by_stage(Stage.UNPAID),
    )
