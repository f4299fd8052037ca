"""A command over HTTP, through the API and through a form, against a bare Flask route.

The route does the same three writes by hand under the same web server: see raw/commands_app.py.

Each side has one client with one keep-alive connection. Workers and the sweep run beside the
product. The API counts the token's requests, against a limit that is never reached. The form is
sent like htmx sends it from a list: with the session, the form's token and a new command id. The
answer names the page to load.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import msgspec
from flask import Flask

from bench import product
from bench.case import Sides
from bench.clients.browser import Browser
from bench.processes.background import WORKERS, settle, started
from bench.processes.web import Server, console_server, plain_environment, served, signed_in
from bench.raw.command import STREAMS
from bench.rounds import Plan, Slice, rate
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.services import services_of

NOTE = "Mind the dog."
JSON = {"Content_Type": "application/json"}
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    with (
        product.console(database) as app,
        started(app, *["worker"] * WORKERS, "sweep"),
        console_server(app, API_REQUESTS_PER_MINUTE="100000000") as server,
        _bare_route(database) as bare,
    ):
        orders = [f"A{number}" for number in range(STREAMS)]
        kernel: Kernel = services_of(app).kernel
        for order_id in orders:
            product.place(kernel, order_id)
        steps = {
            "API": _by_api(app, server, orders),
            "form": _by_form(app, server, orders),
            "bare JSON": _by_hand(bare, msgspec.json.encode({"note": NOTE}), JSON),
            "bare form": _by_hand(bare, urlencode({"note": NOTE}).encode(), FORM),
        }
        yield {name: _once_settled(kernel, step) for name, step in steps.items()}


def _once_settled(kernel: Kernel, step: Callable[[], None]) -> Slice:
    """Wait for the workers first, so that one side does not pay for the backlog of another."""

    def run(seconds: float) -> float:
        settle(kernel)
        return rate(step)(seconds)

    return run


@contextmanager
def _bare_route(database: str) -> Iterator[Server]:
    if database == "postgresql":
        url = product.fresh_database()
    else:
        url = f"sqlite:///{product.folder() / new_id()}.sqlite3"
    with served("bench.raw.commands_app:app", {**plain_environment(), "DATABASE_URL": url}) as bare:
        yield bare


def _by_api(app: Flask, server: Server, orders: list[str]) -> Callable[[], None]:
    secret = services_of(app).tokens.create("bench", "admin", made_by="bench")
    browser = Browser(server.port, Authorization=f"Bearer {secret}")
    following = itertools.cycle(orders)

    def step() -> None:
        body = msgspec.json.encode({"order_id": next(following), "note": NOTE})
        reply = browser.post("/api/v1/commands/AddOrderNote", body, **JSON)
        assert reply.status == 200, reply.text

    return step


def _by_form(app: Flask, server: Server, orders: list[str]) -> Callable[[], None]:
    browser = signed_in(app, server)
    form = browser.get(f"/commands/AddOrderNote?order_id={orders[0]}").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token, "the form has no token"
    # The session of a newly opened form, without flashed messages of earlier answers.
    cookie, following = browser.headers["Cookie"], itertools.cycle(orders)

    def step() -> None:
        order_id = next(following)
        fields = {"order_id": order_id, "note": NOTE, "command_id": new_id()}
        reply = browser.post(
            f"/commands/AddOrderNote?order_id={order_id}",
            urlencode({**fields, "csrf_token": token[1]}).encode(),
            Cookie=cookie,
            HX_Request="true",
            **FORM,
        )
        assert reply.status == 204, reply.text

    return step


def _by_hand(server: Server, body: bytes, headers: dict[str, str]) -> Callable[[], None]:
    browser = Browser(server.port)

    def step() -> None:
        assert browser.post("/", body, **headers).status == 204

    return step
