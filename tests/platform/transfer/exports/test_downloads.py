"""Lists as downloads: the same rows as the page, by every role, whole or broken off."""

from __future__ import annotations

import csv
import http.client
import io
import json
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.fields import required_of
from cqrs_app.platform.transfer.exports.formats import FORMATS
from cqrs_app.platform.transfer.exports.lists import listings, question_of
from cqrs_app.platform.transfer.exports.rows import PERMISSION, pages
from cqrs_app.services import services_of
from tests.console import consoles_on
from tests.interfaces.web.pages.conftest import client_in
from tests.platform.transfer.exports.conftest import Ask, fill, multiply, serving
from tests.services.stores import Templates, migrate

ADMIN = Actor("ana", ROLES["admin"])


def rows_of(client: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def test_every_list_is_found_by_its_answer(shared_console: Flask) -> None:
    found = listings(services_of(shared_console).kernel.registry)
    assert {"ListOrders", "ListCustomers", "ListCommands"} <= found.keys()
    assert found["ListOrders"].name == "orders"
    assert "GetOrder" not in found


def test_a_list_comes_whole_in_its_order_with_its_filters(console: Flask) -> None:
    fill(console, 1_203)
    client = client_in(console, "supervisor")
    address = "/exports/ListOrders.csv?status=placed&sort=total&descending=0&min_total=100"
    found = rows_of(client, address)
    assert [row["order_id"] for row in found] == [f"T{n}" for n in range(101, 1_204, 2)]
    assert (found[0]["total"], found[0]["placed_at"]) == ("101.1255", "2010-12-01T08:27:41Z")
    assert found[0]["customer_name"] == "Ada & Sons, Ltd"


def test_both_formats_say_what_they_are_and_hold_the_same(console: Flask) -> None:
    fill(console, 3, customer_name="=cmd|' /C calc'!A0")
    client = client_in(console, "admin")
    plain = client.get("/exports/ListOrders.csv")
    assert plain.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert plain.headers["Content-Disposition"].startswith('attachment; filename="orders-2')
    assert plain.headers["Cache-Control"] == "no-store"
    assert plain.get_data().count(b"\r\n") == 4
    [line, *_] = client.get("/exports/ListOrders.jsonl").get_data(as_text=True).splitlines()
    row, cells = json.loads(line), rows_of(client, "/exports/ListOrders.csv")[0]
    assert list(row) == list(cells)
    assert (row["customer_name"], cells["customer_name"]) == (
        "=cmd|' /C calc'!A0",
        "'=cmd|' /C calc'!A0",
    )
    assert Decimal(row["total"]) == Decimal(cells["total"]) == Decimal("3.1255")
    assert row["placed_at"] == cells["placed_at"]


@pytest.mark.parametrize("role", ["nobody", *ROLES])
@pytest.mark.parametrize("name", ["ListOrders", "ListCustomers", "ListCommands"])
def test_only_those_with_the_right_get_one_and_only_they_are_offered_it(
    shared_console: Flask, role: str, name: str
) -> None:
    client = client_in(shared_console, role)
    status = client.get(f"/exports/{name}.csv").status_code
    may = role in ("supervisor", "admin")
    assert status == (200 if may else 303 if role == "nobody" else 403)
    if role != "nobody":
        offered = "/exports/ListOrders.csv" in client.get("/orders").get_data(as_text=True)
        assert offered == may


def test_permission_is_judged_before_the_filters(shared_console: Flask) -> None:
    viewer = client_in(shared_console, "viewer")
    lists = ("/audit?since=x", "/log?since=x", "/operators?idle_days=x", "/failures?since=x")
    for address in ("/exports/ListSecurityEvents.csv?since=x", *lists):
        assert viewer.get(address).status_code == 403, address
        assert client_in(shared_console, "admin").get(address).status_code in (200, 422), address


def test_the_right_to_export_shows_no_list_that_one_may_not_see(shared_console: Flask) -> None:
    kernel = services_of(shared_console).kernel
    question = question_of(listings(kernel.registry)["ListCommands"], {})
    with pytest.raises(Exception, match="Command log"):
        pages(kernel.queries, question, Actor("eve", frozenset({PERMISSION})))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("/orders?status=placed&status=shipped&q=lamp&sort=total&descending=0&limit=50", 5),
        ("/customers?q=ada&status=active&sort=name&descending=1", 4),
        ("/customers/-/accounts?q=ada&sort=name&descending=1", 3),
        ("/log?outcome=failed&operator=mia&received_from=2026-01-01", 3),
    ],
)
def test_a_page_offers_the_list_with_its_present_filters(
    shared_console: Flask, page: str, expected: int
) -> None:
    client = client_in(shared_console, "admin")
    soup = BeautifulSoup(client.get(page).get_data(), "html.parser")
    addresses = [str(a["href"]) for a in soup.select("a[download]")]
    assert [address.partition("?")[0].rpartition(".")[2] for address in addresses] == [
        "csv",
        "csv-excel",
        "xlsx",
        "jsonl",
        "parquet",
    ]
    for address in addresses:
        assert address.count("=") == expected, address
        assert "limit" not in address
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/exports/ListOrders.ods", 404),
        ("/exports/GetOrder.csv", 404),
        ("/exports/DropTables.csv", 404),
        ("/exports/ListOrders.csv?status=nonsense", 422),
        ("/exports/ListOrders.csv?nonsense=1", 422),
        ("/exports/ListOrders.csv?limit=5", 422),
        ("/exports/ListOrders.csv?after=abc", 422),
        ("/exports/ListOrders.csv?q=a&q=b", 422),
        ("/exports/ListOrders.csv?descending=perhaps", 422),
        ("/exports/ListOrders.csv?placed_from=yesterday", 422),
        ("/exports/ListOrders.csv?min_total=NaN", 422),
        ("/exports/ListCommands.csv?operator=%00", 422),
    ],
)
def test_what_cannot_be_used_gets_a_sentence_before_anything_is_sent(
    shared_console: Flask, address: str, status: int
) -> None:
    answer = client_in(shared_console, "admin").get(address)
    assert answer.status_code == status
    assert "data-error-text" in answer.get_data(as_text=True)
    assert "attachment" not in answer.headers.get("Content-Disposition", "")


GARBAGE = ("", "x", "-1", "1E999999999", "NaN", "\0", "0" * 3_000, "2026-13-45", "\N{CYCLONE}")


def test_no_export_meets_a_fault_whatever_is_asked_of_it(console: Flask) -> None:
    client = client_in(console, "admin")
    for name, listing in listings(services_of(console).kernel.registry).items():
        needed = required_of(listing.query)
        answer = client.get(f"/exports/{name}.csv")
        assert answer.status_code == (422 if needed else 200), (name, answer.text)
        for field in needed:
            assert f"{field}: Required." in answer.text, name
        for field in (*listing.filters, "limit", "after", "no_such"):
            for value in GARBAGE:
                status = client.get(f"/exports/{name}.csv", query_string={field: value}).status_code
                assert status in (200, 404, 422), (name, field, value)


def test_an_export_leaves_nothing_in_the_cache(console: Flask, redis_url: str) -> None:
    fill(console, 1_200)
    rows_of(client_in(console, "admin"), "/exports/ListOrders.csv")
    redis = Redis.from_url(redis_url)
    assert list(redis.scan_iter("countersign:cache:ListOrders:*")) == []
    redis.close()


def test_memory_does_not_grow_with_the_number_of_rows(console: Flask) -> None:
    def peak() -> tuple[int, int]:
        kernel = services_of(console).kernel
        listing = listings(kernel.registry)["ListOrders"]
        portions = pages(kernel.queries, question_of(listing, {}), ADMIN)
        tracemalloc.start()
        try:
            size = sum(map(len, FORMATS["csv"].write(listing.columns, portions)))
            return tracemalloc.get_traced_memory()[1], size
        finally:
            tracemalloc.stop()

    fill(console, 1_500)
    peak()
    few, few_bytes = peak()
    fill(console, 9_500, first=1_501)
    many, many_bytes = peak()
    assert many_bytes > 7 * few_bytes
    assert many < 1.5 * few


@pytest.fixture(scope="module")
def long_list(
    shared_kind: str,
    templates: Templates,
    tmp_path_factory: pytest.TempPathFactory,
    redis_server: str,
) -> Iterator[tuple[Flask, Ask]]:
    """A console with 16,000 orders, more than the buffers of a connection hold, and its server."""
    with (
        templates.copy(shared_kind, migrate, tmp_path_factory.mktemp("long")) as databases,
        consoles_on(databases, redis_server) as make,
    ):
        console = make()
        fill(console, 1_000)
        multiply(console, 4)
        with serving(console) as ask:
            yield console, ask


def test_a_browser_that_gives_up_does_no_harm(long_list: tuple[Flask, Ask]) -> None:
    _, ask = long_list
    answer = ask("/exports/ListOrders.jsonl")
    answer.read(100)
    answer.close()
    assert ask("/exports/ListOrders.csv").read().count(b"\r\n") == 16_001


def test_a_download_that_breaks_in_the_middle_does_not_look_whole(
    long_list: tuple[Flask, Ask],
) -> None:
    console, ask = long_list
    answer = ask("/exports/ListOrders.csv")
    assert answer.status == 200
    assert answer.read(100).startswith(b"order_id,")
    rename(console, "orders", "orders_gone")
    try:
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
    finally:
        rename(console, "orders_gone", "orders")


def rename(app: Flask, table: str, name: str) -> None:
    with services_of(app).kernel.engines.read.begin() as writing:
        writing.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))
