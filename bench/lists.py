"""The order list over HTTP, with many orders against few, and against Flask-Admin's.

Each console has the web server that `bin/run` starts, two processes of it, and one browser with a
keep-alive connection and a session. Every page holds 25 orders, newest first. The query cache is
off: else the second page view on would come from Redis.

"Searched" is a number and a customer's name in turns, which fit one order and about ten at both
sizes. A word that a tenth of all orders hold has a tenth of all orders to sort, and is only told.

Flask-Admin shows the same eight columns of the same table under the same web server. It counts all
rows for each page, as it does by default, and skips those before the page; it knows no session, no
search index, no freshness, and is asked without a sign-in. What it takes grows with the orders:
with the 50,000 of --quick its targets are not to be met.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import msgspec
from flask import Flask
from sqlalchemy import text

from bench import product, seeds
from bench.browser import Browser
from bench.cases import Group, Line, Sides
from bench.peers import environments
from bench.rounds import Plan, Slice, median_ms
from bench.serving import console_server, plain_environment, served, signed_in
from cqrs_app.areas.orders.queries.order_list import ListOrders

FEW = 10_000
DEEP = 0.94
PAGE = 25


def many(plan: Plan) -> int:
    return 50_000 if plan.quick else 1_000_000


@dataclass(frozen=True, slots=True)
class Shop:
    """A console full of orders, with its web server, and who looks at it."""

    app: Flask
    browser: Browser
    orders: int

    def side(self, *paths: str) -> Slice:
        """The median ms of these pages in turns."""
        following = itertools.cycle(paths)
        return median_ms(lambda: _page(self.browser, next(following)))

    def pages(self) -> dict[str, tuple[str, ...]]:
        """What is asked for, by name."""
        number, name = f"SO{self.orders // 3}", self._customer()
        return {
            "first": ("/orders",),
            "deep": (f"/orders?{urlencode({'after': self._deep_mark()})}",),
            "filtered": ("/orders?status=placed",),
            "searched": tuple(f"/orders?{urlencode({'q': words})}" for words in (number, name)),
        }

    def _customer(self) -> str:
        with self.app.extensions["kernel"].engines.read.connect() as connection:
            found = text("SELECT customer_name FROM orders WHERE row_id = :row")
            return str(connection.execute(found, {"row": self.orders // 2}).scalar_one())

    def _deep_mark(self) -> str:
        """The mark of a page with DEEP of all orders before it, as the list itself writes it; from
        the row, as going there page by page would take long."""
        with self.app.extensions["kernel"].engines.read.connect() as connection:
            found = text("SELECT placed_at, order_id FROM orders WHERE row_id = :row")
            row = connection.execute(found, {"row": int(self.orders * (1 - DEEP))}).one()
        newest_first = ListOrders()
        content = (newest_first.sort, newest_first.descending, row.placed_at, row.order_id)
        return base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def _page(browser: Browser, path: str) -> None:
    reply = browser.get(path)
    assert reply.status == 200, f"{path} answered {reply.status}"


@contextmanager
def shop(count: int) -> Iterator[Shop]:
    with product.console("postgresql") as app:
        seeds.orders(app.extensions["kernel"].engines.write, count)
        with console_server(app, QUERY_CACHING_ENABLED="false") as server:
            made = Shop(app, signed_in(app, server), count)
            assert f"SO{count}" in made.browser.get("/orders").text
            yield made


@contextmanager
def growth(plan: Plan) -> Iterator[Sides]:
    with ExitStack() as stack:
        sides: dict[str, Slice] = {}
        for size, count in (("many", many(plan)), ("few", FEW)):
            made = stack.enter_context(shop(count))
            for name, paths in made.pages().items():
                sides[f"{name}, {size}"] = made.side(*paths)
            sides[f"common, {size}"] = made.side("/orders?q=norway")
        yield sides


@contextmanager
def flask_admin(plan: Plan) -> Iterator[Sides]:
    python = environments.python()
    with shop(many(plan)) as made:
        url = made.app.extensions["settings"].database_url
        environment = {**plain_environment(), "DATABASE_URL": url}
        target = "bench.peers.flask_admin_app:app"
        with served(target, environment, python=python, path="/admin/order/") as server:
            theirs = Browser(server.port)
            deep = f"/admin/order/?page={int(made.orders * DEEP) // PAGE}"
            assert f"SO{made.orders}" in theirs.get("/admin/order/").text
            paths = made.pages()
            yield {
                "first": made.side(*paths["first"]),
                "deep": made.side(*paths["deep"]),
                "Flask-Admin first": median_ms(partial(_page, theirs, "/admin/order/")),
                "Flask-Admin deep": median_ms(partial(_page, theirs, deep)),
            }


def _growth(name: str, most: float | None) -> Line:
    return Line(
        name=f"order list, {name}, many against {FEW:,}",
        of=f"{name}, many",
        to=f"{name}, few",
        most=most,
        unit="ms",
    )


GROUPS = [
    Group(
        open=growth,
        lines=(
            *(
                _growth(name, most)
                for name, most in (
                    ("first", 1.2),
                    ("deep", 1.3),
                    ("filtered", 1.5),
                    ("searched", 3),
                )
            ),
            _growth("common", None),
        ),
    ),
    Group(
        open=flask_admin,
        lines=tuple(
            Line(
                name=f"order list, {name}, Flask-Admin against ours",
                of=f"Flask-Admin {name}",
                to=name,
                least=least,
                unit="ms",
            )
            for name, least in (("first", 8), ("deep", 25))
        ),
    ),
]
