"""A console that somebody watches, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.subscriptions.presence import SWEEP, Presence
from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.platform.alerts.queries import AlertRow, GetAlert, ListAlerts, ListPendingAlerts
from cqrs_app.platform.alerts.rules import RULES
from cqrs_app.platform.alerts.tables import alert_tasks
from cqrs_app.platform.alerts.watching import KEY
from cqrs_app.services import services_of
from tests.leases import end_leases
from tests.platform.webhooks.conftest import Clock

ADA = Actor("ada", ROLES["admin"])


class OnCall:
    """What a sweep and workers do, by hand. `alive` are the processes that are running."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.clock = Clock()
        self.kernel: Kernel = replace(services_of(app).kernel, clock=self.clock)
        self.alive = {WORKER, SWEEP}
        self.stopped: set[str] = set()

    def do(self, *commands: Command) -> None:
        for command in commands:
            self.send(command)
        self.follow()

    def send(self, command: Command) -> Receipt:
        return self.kernel.commands.execute(command, Context(actor=ADA, channel="test"))

    def ask(self, question: Query) -> Any:
        return self.kernel.queries.ask(question, QueryContext(actor=ADA)).value

    def follow(self) -> None:
        """Advance every subscription that is behind, except those that a test has stopped."""
        for _ in range(2):
            for name in self.kernel.runner.behind():
                if name not in self.stopped:
                    self.kernel.runner.advance(name)

    def work(self, name: str) -> None:
        """Do what is due of one background task."""
        task = self.kernel.tasks[name].task
        for key in task.due(self.kernel):
            task.work(self.kernel, key)
        self.follow()

    def look(self, after: float = 11) -> None:
        """Let so many seconds pass, and look for problems."""
        self.clock.move(seconds=after)
        for kind in self.alive:
            Presence(self.kernel.engines.write, self.clock).beat(kind)
        self.kernel.tasks["alerts"].task.work(self.kernel, KEY)
        self.follow()

    def wait(self, rule: str) -> None:
        """Look until a problem of this rule that lasts is an alert."""
        # A process counts as alive for twenty seconds.
        self.look(21)
        self.look(RULES[rule].pending_seconds + 11)

    def on(self) -> list[str]:
        return [each.alert_id for each in self.ask(ListAlerts())]

    def pending(self) -> list[str]:
        return [each.alert_id for each in self.ask(ListPendingAlerts())]

    def alert(self, alert_id: str) -> AlertRow:
        found: AlertRow = self.ask(GetAlert(alert_id=alert_id)).alert
        return found

    def place(self, order_id: str) -> Command:
        line = OrderLine(sku="TEA", quantity=1, unit_price=Decimal("2.50"))
        return orders.PlaceOrder(
            order_id=order_id, customer_name="Ann", country="France", currency="EUR", lines=(line,)
        )

    def let_leases_end(self) -> None:
        end_leases(self.kernel.engines.write, alert_tasks.c.taken_until)


@pytest.fixture
def on_call(make_console: Callable[..., Flask]) -> OnCall:
    return OnCall(make_console(webhook_allowed_networks="127.0.0.0/8"))
