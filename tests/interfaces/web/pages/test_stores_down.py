"""Pages while a real store is stopped: what can be shown is, and nobody has to sign in again."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Column, select
from werkzeug.test import TestResponse

from cqrs_app import create_app
from cqrs_app.areas.customers.read_models import customer_profiles
from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.inventory.read_models import products
from cqrs_app.areas.payments.read_models import payments
from cqrs_app.database import upgrade
from cqrs_app.interfaces.web.home import TITLES
from cqrs_app.kernel.store.postgresql_client import REST_SECONDS
from cqrs_app.kernel.store.tables import streams
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.processes import embedded_redis
from cqrs_app.services import services_of
from cqrs_app.settings import Settings
from tests.console import NO_REDIS, close
from tests.interfaces.web.pages.conftest import catch_up, client_in, order_in
from tests.interfaces.web.pages.test_without_scripts import fields, form_address, page, send
from tests.services.own_postgres import OwnServer
from tests.services.redis_server import running_redis

LISTS = ("/orders", "/customers", "/products", "/payments", "/ledger", "/reports", "/webhooks")
pytestmark = pytest.mark.slow


@contextmanager
def shop_on(**settings: str) -> Iterator[Flask]:
    """Twenty orders in a console with these settings."""
    values = {"redis_url": NO_REDIS, "secret_key": "for tests only", "undo_seconds": 0, **settings}
    made = Settings(**values).resolved()  # type: ignore[arg-type]
    upgrade(made)
    app = create_app(made)
    load_if_empty(services_of(app).kernel, 20, lambda line: None)
    catch_up(app)
    yield app
    close(app)


def text_of(answer: TestResponse) -> str:
    return BeautifulSoup(answer.get_data(), "html.parser").get_text(" ", strip=True)


@pytest.fixture(params=["read store", "read store, write store on PostgreSQL", "replica"])
def shop(
    request: pytest.FixtureRequest, own_postgres: OwnServer, tmp_path: Path
) -> Iterator[Flask]:
    """A console whose lists are in the database that a test stops."""
    settings = {"data_dir": tmp_path, "read_database_url": own_postgres.url}
    if "PostgreSQL" in request.param:
        settings["database_url"] = request.getfixturevalue("postgres_url")
    if request.param == "replica":
        upgrade(Settings(**settings).resolved())
        del settings["read_database_url"]
        settings["query_database_url"] = own_postgres.url
    with shop_on(**settings) as app:  # type: ignore[arg-type]
        yield app


def placed_in(app: Flask) -> str:
    """An order of a known customer that waits for approval."""
    with services_of(app).kernel.engines.read.connect() as connection:
        found = select(orders.c.order_id).where(
            orders.c.status == "placed", orders.c.customer_id != ""
        )
        return str(connection.execute(found).scalars().first())


def placed_in_events(app: Flask) -> str:
    """Any order."""
    with services_of(app).kernel.engines.write.connect() as connection:
        found = select(streams.c.stream).where(streams.c.stream.startswith("order-"))
        return str(connection.execute(found).scalars().first()).partition("-")[2]


def test_an_order_is_shown_and_changed_while_the_store_of_lists_is_down(
    shop: Flask, own_postgres: OwnServer
) -> None:
    client, order_id = client_in(shop, "admin"), placed_in(shop)
    own_postgres.stop()
    shown = page(client, f"/orders/{order_id}")
    main = shown.select_one("main")
    assert main is not None
    text = main.get_text(" ", strip=True)
    assert f"Order {order_id}" in text
    assert "Order placed" in text
    unavailable = main.select_one("#unavailable-heading")
    assert unavailable is not None
    panel = unavailable.find_parent("section")
    assert panel is not None
    assert "Payments, Stock, Customer: the read store does not answer." in panel.get_text(" ")
    answer = client.get(f"/orders/{order_id}/now", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    for name in ("ChangeShippingAddress", "HoldOrder", "CancelOrder"):
        form = page(client, form_address(client, order_id, name))
        assert form.select_one("main form[method=post]"), name
    address = page(client, form_address(client, order_id, "ChangeShippingAddress"))
    assert any(each.get("value") for each in address.select('input[name^="address-"]'))
    approved = send(client, form_address(client, order_id, "ApproveOrder"))
    assert approved.status_code == 303
    timeline = page(client, f"/orders/{order_id}").select_one("ol.timeline li")
    assert timeline is not None
    assert "Approved" in timeline.get_text(" ")
    own_postgres.start()
    assert page(client, f"/orders/{order_id}").select_one("#unavailable-heading") is None


def test_a_customer_a_product_and_a_payment_are_shown_while_the_store_of_lists_is_down(
    shop: Flask, own_postgres: OwnServer
) -> None:
    client = client_in(shop, "admin")
    paths = {
        f"/customers/{first_in(shop, customer_profiles.c.customer_id)}": {
            *("Profile", "Timeline", "Account, Orders, Credit notes: the read store"),
        },
        f"/product?{urlencode({'sku': first_in(shop, products.c.sku)})}": {
            *("On hand", "Reserved for orders", "Movements, Units shipped: the read store"),
        },
        f"/payments/{first_in(shop, payments.c.payment_id)}": {"Captured", "Timeline", "version 1"},
    }
    own_postgres.stop()
    for path, expected in paths.items():
        text = page(client, path).get_text(" ", strip=True)
        assert {each for each in expected if each not in text} == set(), path
    for path in ("/orders/none", "/product?sku=none", "/payments/none"):
        assert client.get(path).status_code == 404, path
    # Whether orders name this customer cannot be known now.
    text = page(client, "/customers/nobody").get_text(" ", strip=True)
    assert "Account, Orders, Credit notes: the read store" in text
    assert "Not registered." in text
    own_postgres.start()
    assert client.get("/customers/nobody").status_code == 404
    for path in paths:
        assert "the read store does not answer" not in page(client, path).get_text(" "), path


def first_in(app: Flask, column: Column[str]) -> str:
    with services_of(app).kernel.engines.read.connect() as connection:
        return str(connection.execute(select(column)).scalars().first())


def test_panels_and_lists_say_what_is_missing(shop: Flask, own_postgres: OwnServer) -> None:
    client = client_in(shop, "admin")
    own_postgres.stop()
    home = client.get("/")
    assert home.status_code == 200
    assert all(title in home.text for title in TITLES.values())
    assert "The database for this panel does not answer." in home.text
    assert client.get("/home/today").status_code == 200
    assert client.get("/system").status_code == 200
    metrics = client.get("/metrics")
    assert metrics.status_code == 200
    assert 'countersign_up{part="read_store"} 0.0' in metrics.text
    for path in LISTS:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), path
        assert "A database does not answer" in text_of(answer)
        assert "Sign out" in text_of(answer)
        assert '<meta http-equiv="refresh" content="5">' in answer.text
    own_postgres.start()
    assert "The database for this panel" not in client.get("/").text


def test_nobody_is_sent_to_sign_in_while_the_write_store_is_down(
    own_postgres: OwnServer, tmp_path: Path
) -> None:
    settings = {"data_dir": tmp_path, "database_url": own_postgres.url}
    settings["read_database_url"] = f"sqlite:///{tmp_path / 'read.sqlite3'}"
    with shop_on(**settings) as shop:  # type: ignore[arg-type]
        client = client_in(shop, "admin")
        order_id = order_in(shop, "placed")
        address = form_address(client, order_id, "ApproveOrder")
        form = fields(page(client, address))
        own_postgres.stop()
        for path in ("/", "/orders", f"/orders/{order_id}", "/system", "/sign-in", *LISTS):
            answer = client.get(path)
            assert_kept(answer)
            assert '<meta http-equiv="refresh" content="5">' in answer.text
        assert_kept(client.get("/home/health", headers={"HX-Request": "true"}))
        sent = client.post(address, data=form)
        assert_kept(sent)
        assert "either done whole or not at all" in text_of(sent)
        # Sent again by a browser that asks the address anew, a form would be a page not found.
        assert "refresh" not in sent.text
        assert client.get("/metrics").status_code == 200
        assert client.get("/readyz").json == {
            "missing": ["the write store", "a worker", "the sweep"]
        }
        own_postgres.start()
        assert client.get("/orders").status_code == 200


def assert_kept(answer: TestResponse) -> None:
    assert (answer.status_code, answer.location) == (503, None)
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Retry-After"] == "5"
    text = text_of(answer)
    assert "The write store does not answer" in text
    assert "You stay signed in. Everything saved is kept." in text
    assert "Go to sign in" not in text


def test_a_redis_that_hangs_keeps_nobody_waiting_long(tmp_path: Path) -> None:
    with (
        running_redis(tmp_path) as redis,
        shop_on(data_dir=tmp_path, redis_url=embedded_redis.url(tmp_path)) as shop,  # type: ignore[arg-type]
    ):
        client, order_id = client_in(shop, "admin"), order_in(shop, "placed")
        redis.send_signal(signal.SIGSTOP)
        try:
            for path in ("/", "/orders", f"/orders/{order_id}"):
                began = time.process_time(), time.monotonic()
                assert client.get(path).status_code == 200
                waited = time.monotonic() - began[1] - (time.process_time() - began[0])
                assert waited < 5, path
        finally:
            redis.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("store", ["database_url", "read_database_url", "query_database_url"])
def test_a_frozen_database_keeps_nobody_waiting_long(
    store: str, own_postgres: OwnServer, tmp_path: Path
) -> None:
    if store == "query_database_url":
        upgrade(Settings(data_dir=tmp_path, read_database_url=own_postgres.url).resolved())
    with shop_on(data_dir=tmp_path, **{store: own_postgres.url}) as shop:  # type: ignore[arg-type]
        client, order_id = client_in(shop, "admin"), placed_in_events(shop)
        paths = ("/readyz", "/metrics", "/", "/orders", f"/orders/{order_id}", "/reports")
        before = {path: client.get(path).status_code for path in paths}
        part = "write_store" if store == "database_url" else "read_store"
        with own_postgres.frozen():
            for path in paths:
                began = time.process_time(), time.monotonic()
                answer = client.get(path)
                waited = time.monotonic() - began[1] - (time.process_time() - began[0])
                assert waited < 10, path
                assert answer.status_code in (200, 503), path
                if path == "/metrics":
                    assert f'countersign_up{{part="{part}"}} 0.0' in answer.text
                if path == "/readyz":
                    assert f"the {part.replace('_', ' ')}" in answer.json["missing"]  # type: ignore[index]
        time.sleep(REST_SECONDS)
        assert {path: client.get(path).status_code for path in paths} == before


def test_who_is_signed_out_is_sent_to_sign_in_all_the_same(
    shop: Flask, own_postgres: OwnServer
) -> None:
    client: FlaskClient = shop.test_client()
    own_postgres.stop()
    answer = client.get("/orders")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/orders")
