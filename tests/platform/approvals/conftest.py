"""A shop with operators, policies and paid orders, and what a worker does for requests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.payments.commands import RecordPayment, RefundPayment
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.approvals.commands import SetApprovalPolicy, SignRequest
from cqrs_app.platform.approvals.gate import request_id_of
from cqrs_app.platform.approvals.lists import ApprovalRow, ListApprovalRequests
from cqrs_app.platform.approvals.queries import ApprovalRequestView, GetApprovalRequest
from cqrs_app.platform.approvals.types import SignDecision
from cqrs_app.services import services_of
from tests.console import NO_REDIS, MakeConsole, consoles_on
from tests.interfaces.web.pages.conftest import catch_up
from tests.services.stores import Databases, Templates, migrate

PASSWORD = "countersign seventeen lamps"
PEOPLE = {
    "olga": "operator",
    "sam": "supervisor",
    "tina": "supervisor",
    "ada": "admin",
    "victor": "viewer",
}


class Shop:
    """One console, and what people do in it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.kernel: Kernel = services_of(app).kernel

    def actor(self, name: str) -> Actor:
        if name.startswith("token:"):
            return Actor(name, ROLES["supervisor"])
        return Actor(name, ROLES[PEOPLE[name]])

    def run(self, command: Command, name: str = "sam", **context: Any) -> Receipt:
        given = {"channel": "form", **context}
        return self.kernel.commands.execute(command, Context(actor=self.actor(name), **given))

    def pay(self, payment_id: str = "P-1", amount: int = 40, order_id: str = "A-1") -> None:
        """An order, and a payment of it."""
        line = OrderLine(sku="LAMP", quantity=1, unit_price=Decimal(amount))
        self.run(PlaceOrder(order_id=order_id, country="FR", currency="EUR", lines=(line,)))
        self.run(
            RecordPayment(
                payment_id=payment_id,
                order_id=order_id,
                amount=Decimal(amount),
                currency="EUR",
                method="Cash",
                reference="R-1",
            )
        )
        catch_up(self.app)

    def policy(self, *commands: str, **terms: Any) -> None:
        self.run(
            SetApprovalPolicy(policy="test", commands=commands or ("RefundPayment",), **terms),
            "ada",
        )

    def ask(self, command: Command | None = None, name: str = "sam", **context: Any) -> str:
        """Send a command that becomes a request; returns the request's id."""
        command_id = context.pop("command_id", str(uuid.uuid4()))
        receipt = self.run(command or REFUND, name, command_id=command_id, **context)
        assert receipt.status == "requested", receipt
        catch_up(self.app)
        return request_id_of(command_id)

    def view(self, request_id: str) -> ApprovalRequestView:
        question = GetApprovalRequest(request_id=request_id)
        asked = self.kernel.queries.ask(question, QueryContext(actor=self.actor("sam"))).value
        assert isinstance(asked, ApprovalRequestView)
        return asked

    def view_all(self) -> list[ApprovalRow]:
        found = self.kernel.queries.ask(
            ListApprovalRequests(), QueryContext(actor=self.actor("sam"))
        )
        return list(found.value.rows)

    def state(self, request_id: str) -> str:
        return str(self.view(request_id).state)

    def sign(
        self, request_id: str, name: str = "tina", decision: str = "approve", **more: Any
    ) -> Receipt:
        given = {"digest": self.view(request_id).digest, **more}
        command = SignRequest(request_id=request_id, decision=SignDecision(decision), **given)
        receipt = self.run(command, name)
        catch_up(self.app)
        return receipt

    def work(self) -> None:
        """Do everything that a worker would do for requests now."""
        task = self.kernel.registry.tasks["approvals"]
        catch_up(self.app)
        for key in task.due(self.kernel):
            task.work(self.kernel, key)
        catch_up(self.app)

    def events(self, stream: str) -> list[str]:
        return [each.type for each in self.kernel.store.events_of(stream)]

    def refunds(self, payment_id: str = "P-1") -> int:
        return self.events(f"payment-{payment_id}").count("PaymentRefundRequested")


REFUND = RefundPayment(payment_id="P-1", amount=Decimal(12), reason="Scratched.")


def with_people(databases: Databases) -> None:
    """Fill the stores with operators and one paid order."""
    migrate(databases)
    with consoles_on(databases, NO_REDIS) as make:
        app = make()
        for name, role in PEOPLE.items():
            services_of(app).accounts.create(name, role, PASSWORD)
        Shop(app).pay()


@pytest.fixture
def make_people(
    kind: str, templates: Templates, tmp_path: Path, redis_url: str
) -> Iterator[MakeConsole]:
    with (
        templates.copy(kind, with_people, tmp_path) as databases,
        consoles_on(databases, redis_url) as make,
    ):
        yield make


@pytest.fixture
def shop(make_people: MakeConsole) -> Shop:
    return Shop(make_people())
