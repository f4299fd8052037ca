"""The memory of one process of the web server after all kinds of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psutil

from bench import product
from bench.case import Sides
from bench.clients.browser import Browser
from bench.processes.web import Server, console_server, signed_in
from bench.rounds import Plan
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of

PAGES = (
    *("/", "/orders", "/orders?status=placed", "/orders?q=red", "/customers", "/products?q=red"),
    *(
        "/payments",
        "/fulfilment",
        "/reports",
        "/log",
        "/ledger",
        "/credit-notes",
        "/system",
        "/webhooks",
        "/imports",
    ),
    *("/home/waiting", "/home/health", "/orders/changes?since=0", "/catalogue"),
)
REQUESTS = 400


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    with product.console("postgresql") as app:
        load_if_empty(
            services_of(app).kernel, services_of(app).settings.demo_orders, lambda text: None
        )
        product.catch_up(services_of(app).kernel)
        with console_server(app) as server:
            # With several connections, each process gets some of them.
            browsers = [signed_in(app, server) for _ in range(8)]
            for number in range(REQUESTS):
                _ask(browsers[number % len(browsers)], PAGES[number % len(PAGES)])
            yield {"web process": partial(_largest, server)}


def _ask(browser: Browser, page: str) -> None:
    reply = browser.get(page)
    assert reply.status == 200, f"{page} answered {reply.status}"


def _largest(server: Server, seconds: float) -> float:
    return max(psutil.Process(pid).memory_info().rss for pid in server.workers()) / 2**20
