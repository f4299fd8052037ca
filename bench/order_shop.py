"""A console with many orders, the web server of `bin/run` with two processes, and a signed-in
browser with one keep-alive connection.

Every page has 25 orders, newest first. The query cache is off, since otherwise the second view of a
page would come from Redis. "Searched" alternates between an order number and a customer's name,
which match one order and about ten at every size.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from flask import Flask
from sqlalchemy import text

from bench import product
from bench.clients.browser import Browser
from bench.processes.web import console_server, signed_in
from bench.rounds import Plan, Slice, median_ms
from bench.seeds import orders
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.services import services_of

DEEP = 0.94
"""The fraction of all orders before the deep page."""


def many(plan: Plan) -> int:
    return 50_000 if plan.quick else 1_000_000


@dataclass(frozen=True, slots=True)
class Shop:
    """A console with many orders, its web server, and a browser."""

    app: Flask
    browser: Browser
    orders: int

    def side(self, *paths: str) -> Slice:
        """The median time in ms of these pages, in turn."""
        following = itertools.cycle(paths)
        return median_ms(lambda: load(self.browser, next(following)))

    def pages(self) -> dict[str, tuple[str, ...]]:
        """Name -> paths of the pages."""
        number, name = f"SO{self.orders // 3}", self._customer()
        return {
            "first": ("/orders",),
            "deep": (f"/orders?{urlencode({'after': self._deep_mark()})}",),
            "filtered": ("/orders?status=placed",),
            "searched": tuple(f"/orders?{urlencode({'q': words})}" for words in (number, name)),
        }

    def _customer(self) -> str:
        with services_of(self.app).kernel.engines.read.connect() as connection:
            found = text("SELECT customer_name FROM orders WHERE row_id = :row")
            return str(connection.execute(found, {"row": self.orders // 2}).scalar_one())

    def _deep_mark(self) -> str:
        """The mark of a page with the fraction DEEP of all orders before it, as the list encodes
        it. It is made from the row, since paging there would take long."""
        with services_of(self.app).kernel.engines.read.connect() as connection:
            found = text("SELECT placed_at, order_id FROM orders WHERE row_id = :row")
            row = connection.execute(found, {"row": int(self.orders * (1 - DEEP))}).one()
        newest_first = ListOrders()
        content = (newest_first.sort, newest_first.descending, row.placed_at, row.order_id)
        return base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def load(browser: Browser, path: str) -> None:
    reply = browser.get(path)
    assert reply.status == 200, f"{path} answered {reply.status}"


@contextmanager
def shop(count: int) -> Iterator[Shop]:
    with product.console("postgresql") as app:
        orders.fill(services_of(app).kernel.engines.write, count)
        with console_server(app, QUERY_CACHING_ENABLED="false") as server:
            made = Shop(app, signed_in(app, server), count)
            assert f"SO{count}" in made.browser.get("/orders").text
            yield made
