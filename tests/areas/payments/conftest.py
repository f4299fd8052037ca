"""A console whose payments go to the sandbox, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cqrs_app.areas.payments.callbacks import Callbacks, sandbox_caller
from cqrs_app.areas.payments.gateway import Manual
from cqrs_app.areas.payments.gateway_client import GatewayClient
from cqrs_app.areas.payments.gateway_commands import ANSWER
from cqrs_app.areas.payments.queries.one_payment import GatewayRequests, GetPayment, PaymentView
from cqrs_app.areas.payments.requested import GatewayRequestStore, Requested
from cqrs_app.areas.payments.sandbox import Sandbox
from cqrs_app.areas.payments.tables import gateway_requests, sandbox_requests
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, Receipt, new_id
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.signing import new_secret
from cqrs_app.kernel.subscriptions.dispatcher import Dispatcher
from cqrs_app.platform.operators.roles import system_actor
from cqrs_app.services import services_of
from tests.areas.payments.given import THE
from tests.interfaces.web.pages.conftest import catch_up
from tests.leases import end_leases
from tests.platform.webhooks.conftest import Clock

ADA = Actor("ada", ROLES["admin"])
SECRET = new_secret()


class Desk:
    """Test operations on a console. `settle` calls the gateway in the test's own thread."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        self.app = app
        self.clock = clock
        self.kernel: Kernel = replace(services_of(app).kernel, clock=clock)
        secret = services_of(app).settings.payment_callback_secret
        actor = system_actor("gateway", ANSWER)
        self.callbacks = Callbacks(self.kernel, secret=secret, actor=actor)
        call_back = sandbox_caller(self.callbacks.receive, secret, clock)
        self.sandbox = Sandbox(self.kernel.engines.write, call_back)
        gateways = {"manual": Manual(), "sandbox": self.sandbox}
        self.teller = GatewayClient(self.kernel, gateways, actor=actor, chance=lambda: 0.5)

    @property
    def dispatcher(self) -> Dispatcher:
        made: Dispatcher = self.kernel.tasks["gateway_requests"]
        return made

    def do(self, *commands: Command) -> Receipt:
        context = Context(actor=ADA, channel="test")
        receipts = [
            self.kernel.commands.execute(command, replace(context, command_id=new_id()))
            for command in commands
        ]
        return receipts[-1]

    def ask(self, question: Query) -> Any:
        return self.kernel.queries.ask(question, QueryContext(actor=ADA)).value

    def settle(self, *commands: Command) -> PaymentView:
        """Run these commands and send all due requests to the gateway."""
        for command in commands:
            self.do(command)
            self.ask_gateway()
        return self.payment

    def due(self) -> list[str]:
        """The keys of due requests, after processing the log."""
        self.kernel.runner.advance("payment_requests")
        return GatewayRequestStore(self.kernel.engines.write, self.clock).due()

    def ask_gateway(self) -> int:
        """Send all due requests; returns how many there were."""
        due = self.due()
        for key in due:
            self.teller.ask(key)
        return len(due)

    def end_leases(self) -> None:
        """Make all leases expire, as if their holders had died."""
        end_leases(self.kernel.engines.write, gateway_requests.c.taken_until)

    def catch_up(self) -> None:
        catch_up(self.kernel)

    @property
    def payment(self) -> PaymentView:
        found: PaymentView = self.ask(GetPayment(payment_id=THE))
        return found

    @property
    def requests(self) -> tuple[Requested, ...]:
        found: tuple[Requested, ...] = self.ask(GatewayRequests(payment_id=THE))
        return found

    @property
    def booked(self) -> list[tuple[str, int]]:
        """The requests that the sandbox received, once per key, each with the number of times."""
        columns = sandbox_requests.c
        found = select(columns.asked, columns.times).order_by(columns.first_at, columns.asked)
        with self.kernel.engines.write.connect() as connection:
            return [(row.asked, row.times) for row in connection.execute(found)]

    def events(self) -> list[str]:
        found = self.kernel.store.events_of(f"payment-{THE}")
        return [stored.type for stored in found]


@pytest.fixture
def desk(make_console: Callable[..., Flask]) -> Desk:
    app = make_console(payment_gateway="sandbox", payment_callback_secret=SECRET)
    return Desk(app, Clock())
