"""How much memory one process of the web server holds after all kinds of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psutil

from bench import product
from bench.browser import Browser
from bench.cases import Group, Line, Sides
from bench.rounds import Plan
from bench.serving import Server, console_server, signed_in
from cqrs_app.platform.demo import load_if_empty

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
def of_the_web(plan: Plan) -> Iterator[Sides]:
    with product.console("postgresql") as app:
        load_if_empty(app, lambda text: None)
        product.catch_up(app.extensions["kernel"])
        with console_server(app) as server:
            # Of several connections some go to each process.
            browsers = [signed_in(app, server) for _ in range(8)]
            for number in range(REQUESTS):
                _ask(browsers[number % len(browsers)], PAGES[number % len(PAGES)])
            yield {"web process": partial(_largest, server)}


def _ask(browser: Browser, page: str) -> None:
    reply = browser.get(page)
    assert reply.status == 200, f"{page} answered {reply.status}"


def _largest(server: Server, seconds: float) -> float:
    return max(psutil.Process(pid).memory_info().rss for pid in server.workers()) / 2**20


GROUPS = [
    Group(
        open=of_the_web,
        lines=(
            Line(
                name=f"web memory after {REQUESTS} requests", of="web process", most=150, unit="MB"
            ),
        ),
    )
]
