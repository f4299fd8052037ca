"""The order list over HTTP against Flask-Admin's: see order_shop.py.

Flask-Admin shows the same eight columns of the same table under the same web server. As by default,
it counts all rows for each page and skips those before the page. It has no session, search index,
freshness or sign-in. Its time grows with the number of orders: with the 50,000 of --quick the
targets are not met.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.case import Sides
from bench.clients.browser import Browser
from bench.order_shop import DEEP, load, many, shop
from bench.peers import environments
from bench.processes.web import plain_environment, served
from bench.rounds import Plan, median_ms
from cqrs_app.services import services_of

PAGE = 25


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    python = environments.python()
    with shop(many(plan)) as made:
        url = services_of(made.app).settings.database_url
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
                "Flask-Admin first": median_ms(partial(load, theirs, "/admin/order/")),
                "Flask-Admin deep": median_ms(partial(load, theirs, deep)),
            }
