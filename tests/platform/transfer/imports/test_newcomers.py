"""Customers and products of imported orders: once each, as of their first appearance."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cqrs_app.areas.customers.commands import EraseCustomer, RegisterCustomer
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.inventory.commands import AddProduct, RenameProduct, RetireProduct
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.transfer.imports.importer import Imported, import_file
from cqrs_app.platform.transfer.imports.profiles import PROFILES
from cqrs_app.platform.transfer.imports.profiles.online_retail import PROFILE
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.services import services_of
from tests.platform.transfer.imports.test_olist import PROFILE as OLIST
from tests.platform.transfer.imports.test_olist import few, quiet
from tests.platform.transfer.imports.test_online_retail import ROWS, write

__all__ = ["few"]

ANA = Actor("ana", frozenset({"customers.manage", "customers.erase", "inventory.manage"}))
LATER = [
    ("536901", "85123A", "WHITE HEART", "1", "2010-12-02 08:26:00", "2.55", "17850", "Spain"),
    ("536902", "POST", "POSTAGE", "1", "2010-12-01 07:00:00", "18.00", "12583", "France"),
    ("536902", "22633", "", "1", "2010-12-01 07:00:00", "1.85", "12583", "France"),
]


def run(kernel: Kernel, path: Path) -> Imported:
    return import_file(kernel, PROFILE, path, quiet)


def do(kernel: Kernel, *commands: Command) -> None:
    for command in commands:
        kernel.commands.execute(command, Context(actor=ANA, channel="form"))


def first_event(kernel: Kernel, stream: str) -> tuple[datetime, dict[str, Any]]:
    """The time and the fields of a stream's first event."""
    first = kernel.store.events_of(stream)[0]
    return first.occurred_at, json.loads(first.payload)


def newcomers(imported: Imported) -> tuple[int, int, dict[str, int]]:
    report = imported.report
    return report.registered_customers, report.products, report.there_already


NOBODY = {"customers": 0, "products": 0}


def test_customers_and_products_come_in_as_of_their_first_appearance(
    kernel: Kernel, tmp_path: Path
) -> None:
    imported = run(kernel, write(tmp_path / "days.csv", [*ROWS, *LATER]))
    # The guest is no customer, and items that occur only in rows set aside are no products.
    assert newcomers(imported) == (3, 5, NOBODY)
    assert imported.report.customers == 3
    at, customer = first_event(kernel, "customer-17850")
    assert at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert customer == {
        "customer_id": "17850",
        "name": "",
        "email": "",
        "phone": "",
        "country": "United Kingdom",
    }
    # Its first appearance has no description, and is further down in the file.
    at, product = first_event(kernel, "product-22633")
    assert (at.hour, product["description"]) == (7, "HAND WARMER")
    tracked = {
        sku: first_event(kernel, f"product-{sku}")[1]["tracked"]
        for sku in ("85123A", "85123a", "22633", "POST", "D")
    }
    assert tracked == {"85123A": True, "85123a": True, "22633": True, "POST": False, "D": False}
    assert not kernel.store.events_of("product-22139")
    assert first_event(kernel, "customer-14527")[1]["country"] == "United Kingdom"


def test_a_dry_run_counts_them_and_a_second_import_changes_nothing(
    kernel: Kernel, tmp_path: Path
) -> None:
    path = write(tmp_path / "day.csv", ROWS)
    said = rehearse_file(kernel, PROFILE, path, quiet).figures
    assert kernel.store.head() == 0
    first = run(kernel, path)
    head = kernel.store.head()
    assert head == said.commands
    figures = newcomers(first)
    assert figures == (said.registered_customers, said.products, said.there_already)
    assert newcomers(run(kernel, path)) == figures
    again = rehearse_file(kernel, PROFILE, path, quiet).figures
    assert (again.commands, again.registered_customers, again.products) == (0, *figures[:2])
    assert kernel.store.head() == head


def test_whoever_is_there_already_stays_as_they_are(kernel: Kernel, tmp_path: Path) -> None:
    do(
        kernel,
        RegisterCustomer(customer_id="17850", name="Ana Lima", country="Peru"),
        RegisterCustomer(customer_id="14527", name="Ben Orr"),
        EraseCustomer(customer_id="14527", reason="Asked for it in writing."),
        AddProduct(sku="85123A", description="Heart"),
        RenameProduct(sku="85123A", description="White heart"),
        AddProduct(sku="85123a", description="Lantern"),
        RetireProduct(sku="85123a"),
    )
    streams = [f"customer-{each}" for each in ("17850", "14527")]
    streams += [f"product-{each}" for each in ("85123A", "85123a")]
    before = [[event.id for event in kernel.store.events_of(each)] for each in streams]
    path = write(tmp_path / "day.csv", ROWS)
    said = rehearse_file(kernel, PROFILE, path, quiet).figures
    imported = run(kernel, path)
    assert newcomers(imported) == (0, 2, {"customers": 2, "products": 2})
    assert said.there_already == imported.report.there_already
    assert imported.report.refused_by_code == {}
    assert imported.report.adds_up
    after = [[event.id for event in kernel.store.events_of(each)] for each in streams]
    assert after == before
    assert newcomers(run(kernel, path)) == newcomers(imported)


def test_a_file_that_tells_them_otherwise_changes_nothing_of_them(
    kernel: Kernel, tmp_path: Path
) -> None:
    run(kernel, write(tmp_path / "day.csv", ROWS))
    imported = run(kernel, write(tmp_path / "later.csv", LATER))
    # The customer moved to Spain; the hand warmer has no words in this file.
    assert newcomers(imported) == (1, 2, {"customers": 1, "products": 1})
    assert first_event(kernel, "customer-17850")[1]["country"] == "United Kingdom"
    assert first_event(kernel, "product-22633")[1]["description"] == "HAND WARMER"


def test_orders_that_are_not_taken_bring_nobody(kernel: Kernel, tmp_path: Path) -> None:
    run(kernel, write(tmp_path / "day.csv", [ROWS[1]]))
    head = kernel.store.head()
    other = [("536366", "NEW", "Not seen", "1", "2010-12-01 08:28:00", "1.85", "99", "France")]
    imported = run(kernel, write(tmp_path / "other.csv", other))
    assert imported.report.set_aside_by_reason["already_here_with_other_content"] == 1
    assert newcomers(imported) == (0, 0, NOBODY)
    assert kernel.store.head() == head


def test_the_marketplace_brings_people_and_products(kernel: Kernel, few: Path) -> None:
    imported = import_file(kernel, OLIST, few, quiet)
    assert newcomers(imported) == (4, 3, NOBODY)
    assert first_event(kernel, "customer-u1")[1]["country"] == "Brazil"
    assert first_event(kernel, "product-p1")[1]["description"] == "cama mesa banho"
    assert first_event(kernel, "product-p1")[1]["tracked"] is True
    assert first_event(kernel, "product-FREIGHT")[1]["tracked"] is False


def test_the_console_s_own_file_brings_names_too(kernel: Kernel, tmp_path: Path) -> None:
    order = {"document": "order", "at": "2026-03-02T09:00:00Z", "currency": "DKK"}
    order |= {"customer_id": "C7", "customer_name": "Ada Holm", "country": "Denmark"}
    lines = [{"sku": sku, "quantity": 1, "unit_price": "5"} for sku in ("MUG", " MUG")]
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(order | {"order_id": "S-1", "lines": lines}))
    imported = import_file(kernel, PROFILES["countersign"], path, quiet)
    assert newcomers(imported) == (1, 1, NOBODY)
    # A blank around a number makes no other product.
    assert imported.report.refused_by_code == {}
    registered = kernel.registry.codec.decode(kernel.store.events_of("customer-C7")[0]).event
    assert (registered.name, registered.country) == ("Ada Holm", "Denmark")  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", ["POST", "m", "BANK CHARGES", "gift_0001_40", "AMAZONFEE", "C2"])
def test_charges_are_no_goods(code: str) -> None:
    assert PROFILE.is_charge(code)


@pytest.mark.parametrize("code", ["85123A", "15056bl", "DCGS0003", "PADS", "POSTER", "BANK"])
def test_whatever_else_is_kept_in_stock(code: str) -> None:
    assert not PROFILE.is_charge(code)


def test_history_reserves_nothing_and_sets_nobody_to_work(console: Flask, tmp_path: Path) -> None:
    kernel: Kernel = services_of(console).kernel
    run(kernel, write(tmp_path / "day.csv", ROWS))
    head = kernel.store.head()
    assert kernel.runner.advance(FulfilmentSubscription.name) == head
    assert kernel.registry.tasks["fulfilment"].due(kernel) == []
    assert kernel.store.head() == head
