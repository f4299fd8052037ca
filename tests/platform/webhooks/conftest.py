"""A console, a receiver on this machine, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES, SENDABLE
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.subscriptions.dispatcher import Dispatcher
from cqrs_app.platform.operators.roles import system_actor
from cqrs_app.platform.webhooks import commands as do
from cqrs_app.platform.webhooks import names
from cqrs_app.platform.webhooks.delivery import Deliverer
from cqrs_app.platform.webhooks.queries import Deliveries, GetDeliveries
from cqrs_app.platform.webhooks.subscription import WebhookDeliveries
from cqrs_app.platform.webhooks.tables import webhook_endpoints
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.leases import end_leases
from tests.platform.webhooks.receiver import Receiver, listening

ADA = Actor("ada", ROLES["admin"])


@dataclass
class Clock:
    """The current time plus the offset that a test has set."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class Shop:
    """Test operations on a console. `deliver` runs in the test's own thread."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        self.app = app
        self.clock = clock
        self.kernel: Kernel = replace(services_of(app).kernel, clock=clock)
        self.deliverer = Deliverer(
            self.kernel,
            actor=system_actor("webhooks", do.MANAGE),
            sendable=names(SENDABLE),
            allowed=services_of(app).settings.webhook_networks,
            pause_after_hours=services_of(app).settings.webhook_pause_after_hours,
            chance=lambda: 0.5,
        )
        self.orders = 0

    def do(self, command: Command) -> Receipt:
        return self.kernel.commands.execute(command, Context(actor=ADA, channel="test"))

    def ask(self, question: Query) -> Any:
        return self.kernel.queries.ask(question, QueryContext(actor=ADA)).value

    def add(self, receiver: Receiver, *types: str, name: str = "warehouse") -> None:
        self.do(do.AddWebhook(webhook_id=name, url=receiver.url, event_types=types))

    def place(self) -> str:
        """Place an order."""
        self.orders += 1
        order_id = f"W{self.orders}"
        line = OrderLine(sku="TEA", quantity=1, unit_price=Decimal("2.50"))
        self.do(
            orders.PlaceOrder(
                order_id=order_id, country="United Kingdom", currency="GBP", lines=(line,)
            )
        )
        return order_id

    def approve(self, order_id: str) -> None:
        self.do(orders.ApproveOrder(order_id=order_id))

    def deliver(self, name: str = "warehouse") -> bool:
        self.follow()
        return self.deliverer.deliver(name)

    def due(self, *, follow: bool = True) -> list[str]:
        """The webhooks that have something to send."""
        if follow:
            self.follow()
        return self.dispatcher.task.due(self.kernel)

    @property
    def dispatcher(self) -> Dispatcher:
        return self.kernel.tasks["webhooks"]

    def follow(self) -> None:
        """Queue the deliveries for new events."""
        self.kernel.runner.advance(WebhookDeliveries.name)

    def let_leases_end(self) -> None:
        end_leases(self.kernel.engines.write, webhook_endpoints.c.taken_until)

    def catch_up(self) -> None:
        catch_up(self.kernel)

    def state(self, name: str = "warehouse") -> Deliveries:
        found: Deliveries = self.ask(GetDeliveries(webhook_id=name))
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as made:
        yield made


@pytest.fixture
def shop(make_console: Callable[..., Flask]) -> Shop:
    """A console whose webhooks may reach this machine."""
    return Shop(make_console(webhook_allowed_networks="127.0.0.0/8"), Clock())
