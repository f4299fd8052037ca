"""A shop with orders, and how batches are made and carried out without a worker."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.batches.creating import NewBatch
from cqrs_app.platform.batches.queries import BatchView, GetBatch, ItemRow, ListBatchItems
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up

MARIA = Actor("maria", ROLES["operator"])
SAM = Actor("sam", ROLES["supervisor"])


class Shop:
    """One console, and what people do in it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.kernel: Kernel = services_of(app).kernel

    def run(self, command: Command, actor: Actor = SAM, **context: Any) -> None:
        self.kernel.commands.execute(command, Context(actor=actor, channel="test", **context))

    def place(self, *order_ids: str, price: int = 5) -> None:
        for order_id in order_ids:
            line = OrderLine(sku="LAMP", quantity=1, unit_price=price)  # type: ignore[arg-type]
            self.run(PlaceOrder(order_id=order_id, country="FR", currency="EUR", lines=(line,)))
        catch_up(self.app)

    def create(
        self,
        command: str = "",
        named: Sequence[str] = (),
        *,
        actor: Actor = MARIA,
        fields: dict[str, Any] | None = None,
        filters: dict[str, list[str]] | None = None,
        macro: str = "",
        start: bool = False,
        batch_id: str = "",
    ) -> str:
        batch_id = batch_id or str(uuid.uuid4())
        new = NewBatch(
            batch_id=batch_id,
            command=command,
            fields=fields or {},
            macro=macro,
            named=[(each, None) for each in named],
            filters=filters,
            start=start,
        )
        services_of(self.app).batches.create(new, actor, "test")
        catch_up(self.app)
        return batch_id

    def decide(self, command: Command, actor: Actor = MARIA) -> None:
        self.run(command, actor)
        catch_up(self.app)

    def work(self, batch_id: str) -> None:
        """Do everything that a worker would do for the batch now."""
        task = self.kernel.registry.tasks["batches"]
        while task.work(self.kernel, batch_id):
            pass
        catch_up(self.app)

    def batch(self, batch_id: str) -> BatchView:
        view = self.ask(GetBatch(batch_id=batch_id))
        assert isinstance(view, BatchView)
        return view

    def items(self, batch_id: str) -> dict[str, ItemRow]:
        page = self.ask(ListBatchItems(batch_id=batch_id, limit=500))
        return {each.subject: each for each in page.rows}

    def outcomes(self, batch_id: str) -> dict[str, str]:
        return {name: str(each.outcome) for name, each in self.items(batch_id).items()}

    def events(self, order_id: str) -> list[str]:
        return [each.type for each in self.kernel.store.events_of(f"order-{order_id}")]

    def ask(self, question: Any) -> Any:
        return self.kernel.queries.ask(question, QueryContext(actor=SAM)).value


@pytest.fixture
def shop(console: Flask) -> Shop:
    return Shop(console)


MakeShop = Callable[..., Shop]
