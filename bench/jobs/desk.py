"""An operator at a console that others change too."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from flask import Flask

from bench import product
from bench.clients.chromium import Operator
from bench.processes.background import WORKERS, settle, started
from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.messages import Command

numbers = count(1)
"""A job takes the next one, so that its things are new each time it is done."""


class Background:
    """The workers and the sweep of a console."""

    def __init__(self, app: Flask, until: ExitStack) -> None:
        self._app = app
        self._until = until
        self.start()

    def start(self) -> None:
        commands = (*["worker"] * WORKERS, "sweep")
        self._running = self._until.enter_context(started(self._app, *commands))

    def kill(self) -> None:
        for each in self._running:
            each.kill()


@dataclass(frozen=True, slots=True)
class Desk:
    who: Operator
    colleague: Operator
    kernel: Kernel
    background: Background

    def do(self, *commands: Command) -> None:
        """Somebody else, until every list shows it."""
        for command in commands:
            self.kernel.commands.execute(command, product.context())
        settle(self.kernel)

    def search(self, text: str) -> None:
        """From Home, by the search over any page; the job begins here."""
        self.who.open("/")
        self.who.begin()
        self.who.press("/")
        self.who.page.get_by_role("dialog").get_by_role("searchbox").wait_for()
        self.who.type(text)


def order(
    order_id: str, country: str = "France", price: int = 10, sku: str = "85123A", quantity: int = 1
) -> PlaceOrder:
    line = OrderLine(sku=sku, quantity=quantity, unit_price=Decimal(price))
    return PlaceOrder(order_id=order_id, country=country, currency="EUR", lines=(line,))
