"""A console with orders, and signed-in clients of every role."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy import select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions.subscription import Store
from cqrs_app.services import services_of
from tests.console import MakeConsole, environment_of
from tests.processes.running import FLASK, start

PASSWORD = "nine grey geese on a lake"


@pytest.fixture
def shop(make_shop: MakeConsole) -> Flask:
    """A console with forty demo orders and up-to-date projections."""
    return make_shop()


@pytest.fixture
def client_of(shop: Flask) -> Callable[[str], FlaskClient]:
    """`client_of(role)`: a browser without scripts, signed in with that role; the role "nobody" is
    signed out."""
    return lambda role: client_in(shop, role)


def client_in(app: Flask, role: str) -> FlaskClient:
    """The same for any console."""
    made = app.test_client()
    if role in ROLES:
        accounts = services_of(app).accounts
        if role not in {each.name for each in accounts.list()}:
            accounts.create(role, role, PASSWORD)
        token = services_of(app).sessions.open(role, "127.0.0.1", "test")
        with made.session_transaction() as cookie:
            cookie["token"] = token
    return made


@pytest.fixture
def signed_in(
    shop: Flask, serve: Callable[[Flask], str], new_page: Callable[..., Page]
) -> Callable[..., Page]:
    """`signed_in(role, **context_options)`: an empty page of a browser with scripts, signed in to
    the shop with that role."""
    address = serve(shop)

    def open_page(role: str, **options: Any) -> Page:
        page = new_page(base_url=address, **options)
        name = shop.config["SESSION_COOKIE_NAME"]
        cookie = client_in(shop, role).get_cookie(name)
        assert cookie
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
        return page

    return open_page


def order_in(app: Flask, status: str) -> str:
    """The id of some order with this status."""
    kernel: Kernel = services_of(app).kernel
    with kernel.engines.query.connect() as connection:
        found = select(orders.c.order_id).where(orders.c.status == status).limit(1)
        return str(connection.execute(found).scalar_one())


def catch_up(console: Flask | Kernel, *stores: Store) -> None:
    """Advance every subscription that is behind, like the sweep does, or those of these stores:
    projections are in "read"."""
    kernel = services_of(console).kernel if isinstance(console, Flask) else console
    subscriptions = kernel.registry.subscriptions.items()
    kernel.runner.advance_all(
        [name for name, each in subscriptions if not stores or each.store in stores]
    )


@contextmanager
def process_of(app: Flask, command: str) -> Iterator[subprocess.Popen[str]]:
    """A real `flask worker` or `flask sweep` process for the application."""
    process = start(*FLASK, command, environment=environment_of(app))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(happened: Callable[[], bool], seconds: float = 60.0) -> None:
    """Fail unless it happens in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {seconds} seconds (process {os.getpid()})")
