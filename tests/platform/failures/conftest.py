"""A console in which a projection cannot apply some orders' shipments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.types import OrderLine, ShippedLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.failures.queries import FailureRow, ListFailures
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.performance.plenty import do

ADA = Actor("ada", ROLES["admin"])


@dataclass
class Console:
    """`broken` are the orders whose shipment the list of orders cannot apply."""

    app: Flask
    broken: set[str] = field(default_factory=set)

    @property
    def kernel(self) -> Kernel:
        found: Kernel = services_of(self.app).kernel
        return found

    def order(self, *numbers: int) -> None:
        """Place, approve and ship orders O1, O2, ..., each of a customer of its own."""
        do(self.app, [each for number in numbers for each in shipment(number)])

    def act(self, *commands: Command) -> None:
        for command in commands:
            self.kernel.commands.execute(command, Context(actor=ADA, channel="test"))
        self.follow()

    def ask(self, query: Query) -> Any:
        return self.kernel.queries.ask(query, QueryContext(actor=ADA)).value

    def follow(self) -> None:
        """Do what workers do: advance subscriptions, count parked events, resolve."""
        services_of(self.app).failures.flush()
        for _ in range(2):
            catch_up(self.app)
            task = self.kernel.tasks["failures"].task
            while keys := task.due(self.kernel):
                for key in keys:
                    task.work(self.kernel, key)
                    self.kernel.runner.advance("failures")

    def failures(self, state: str = "open", kind: str | None = "event") -> tuple[FailureRow, ...]:
        found: tuple[FailureRow, ...] = self.ask(ListFailures(state=state, kind=kind))
        return found


def broken_shipments(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise for the shipments of `broken` orders, with the order's number in the message."""
    projection = console.kernel.registry.projections["orders"]
    whole = projection.handlers["OrderShipped"]

    def apply(event: Any, recorded: Any, rows: Any) -> None:
        if event.order_id in console.broken:
            raise KeyError(f"order {event.order_id} of Ann {event.order_id[1:]} has no parcel")
        whole(event, recorded, rows)

    monkeypatch.setitem(projection.handlers, "OrderShipped", apply)


@pytest.fixture
def console(make_console: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Console:
    made = Console(make_console())
    broken_shipments(made, monkeypatch)
    return made


def shipment(number: int) -> Iterator[Command]:
    order_id, line = f"O{number}", OrderLine(sku="S", quantity=3, unit_price=Decimal("2.50"))
    customer = {"customer_name": f"Ann {number}", "country": "France"}
    yield orders.PlaceOrder(order_id=order_id, lines=(line,), currency="EUR", **customer)
    yield orders.ApproveOrder(order_id=order_id)
    yield orders.ShipOrder(order_id=order_id, lines=(ShippedLine(line_no=1, quantity=1),))
