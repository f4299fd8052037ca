"""Pages whose questions go to replicas that are up to date to different degrees."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.services import services_of
from tests.console import MakeConsole, with_demo_orders
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.services.stores import Templates


def test_a_session_sees_nothing_older_than_it_has_seen_on_another_host(
    make_shop: MakeConsole, kind: str, templates: Templates, tmp_path: Path
) -> None:
    with templates.copy(kind, with_demo_orders, tmp_path / "replica") as late:
        near = make_shop(query_database_url=the_same(make_shop(), kind))
        far = make_shop(query_database_url=late.read_url)
        kernel: Kernel = services_of(near).kernel
        line = OrderLine(sku="LAMP", description="", quantity=1, unit_price=Decimal(3))
        order = PlaceOrder(order_id="NEW-1", country="DE", currency="EUR", lines=(line,))
        kernel.commands.execute(order, Context(actor=Actor("ben", ROLES["admin"]), channel="test"))
        catch_up(near)

        assert not shows_new_order(client_in(far, "operator"))
        here, there = client_in(near, "operator"), client_in(far, "operator")
        assert shows_new_order(here)
        name = near.config["SESSION_COOKIE_NAME"]
        cookie = here.get_cookie(name)
        assert cookie
        there.set_cookie(name, cookie.value)
        assert shows_new_order(there)


def the_same(app: Flask, kind: str) -> str:
    """A replica that is never behind: the read store under another URL."""
    url = services_of(app).settings.read_database_url
    if kind == "sqlite":
        return url.replace("/read.sqlite3", "/./read.sqlite3")
    return f"{url}{'&' if '?' in url else '?'}application_name=replica"


def shows_new_order(client: FlaskClient) -> bool:
    answer = client.get("/orders")
    assert answer.status_code == 200
    return "NEW-1" in answer.text
