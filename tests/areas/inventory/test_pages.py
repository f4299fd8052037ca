"""Products on the pages, without scripts: added, received, reserved, shipped, found again."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.areas.inventory import commands as do
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.services import services_of
from tests.areas.inventory.given import SKU, add, commit, expect, receive, reserve
from tests.areas.payments.test_pages import shown
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import linked_pages, page, send

ODD = ["85123a", "BANK CHARGES", "gift_0001_20", "A/B?c=1&d", "..", ".", "%2F", "Größe 5", "#1"]


def run(app: Flask, *commands: do.Command) -> None:
    kernel: Kernel = services_of(app).kernel
    for command in commands:
        kernel.commands.execute(command, Context(actor=Actor("ada", ROLES["admin"]), channel="t"))
    catch_up(app)


def tasks(client: FlaskClient, sku: str = SKU) -> list[str]:
    links = page(client, f"/product?sku={sku}").find_all("a", href=re.compile("^/commands/"))
    return [str(link["href"]).split("/")[2].partition("?")[0] for link in links]


def address_of(client: FlaskClient, task: str) -> str:
    link = page(client, f"/product?sku={SKU}").find("a", href=re.compile(f"^/commands/{task}"))
    assert link is not None, f"{task} is not offered"
    return str(link["href"])


def numbers_in(client: FlaskClient, address: str) -> list[str]:
    links = page(client, address).find_all("a", href=re.compile(r"^/product\?"))
    return [link.get_text() for link in links]


def test_a_product_is_added_received_reserved_and_sent_out_by_hand(console: Flask) -> None:
    sue = client_in(console, "supervisor")
    assert "No products yet" in shown(sue, "/products")
    answer = send(sue, "/commands/AddProduct", sku=SKU, description="Heart", low_below="5")
    assert (answer.status_code, answer.location) == (303, f"/product?sku={SKU}")
    assert "None available" in shown(sue, answer.location)
    for task, fields in (
        ("ExpectStock", {"reference": "PO-2", "quantity": "7", "due": "2026-12-24"}),
        ("ReceiveStock", {"reference": "PO-1", "quantity": "9"}),
        ("ReserveStock", {"order_id": "W1", "quantity": "6"}),
    ):
        assert send(sue, address_of(sue, task), **fields).status_code == 303, task
    text = shown(sue, f"/product?sku={SKU}")
    for words in ("Low", "Available 3", "Reserved 6", "On hand 9", "Incoming 7", "24 Dec 2026"):
        assert words in text
    refused = send(sue, address_of(sue, "AdjustStock"), difference="-4", reason="lost")
    assert refused.status_code == 422
    assert "At most 3 can be taken off" in refused.get_data(as_text=True)
    assert send(sue, address_of(sue, "CommitStock"), quantity="2").status_code == 303
    assert send(sue, address_of(sue, "ReleaseStock")).status_code == 303
    assert "Read from its events" in shown(sue, f"/product?sku={SKU}")
    catch_up(console)
    text = shown(sue, f"/product?sku={SKU}")
    for words in ("Available 7", "Shipped 2", "Shipped for W1", "Received, PO-1"):
        assert words in text
    assert "No reservations" in text


def test_a_price_is_set_shown_and_taken_away(console: Flask) -> None:
    run(console, add())
    sue = client_in(console, "supervisor")
    for currency, price in (("EUR", "0.0125"), ("GBP", "3")):
        answer = send(sue, address_of(sue, "SetProductPrice"), currency=currency, price=price)
        assert answer.status_code == 303
    catch_up(console)
    prices = "EUR 0.0125, GBP 3.00"
    assert prices in shown(sue, f"/product?sku={SKU}")
    assert prices in shown(sue, "/products")
    assert send(sue, address_of(sue, "SetProductPrice"), currency="EUR").status_code == 303
    catch_up(console)
    assert "EUR" not in shown(sue, "/products")


def test_an_expected_delivery_is_chosen_and_received(console: Flask) -> None:
    run(console, add(), expect(7, "PO-2"), expect(3, "PO-3"))
    olga = client_in(console, "operator")
    links = page(olga, f"/product?sku={SKU}").find_all("a", string="Receive")
    form = page(olga, str(links[1]["href"]))
    filled = {name: form.find(id=name)["value"] for name in ("reference", "quantity")}
    assert filled == {"reference": "PO-3", "quantity": "3"}
    offered = olga.get(f"/lookups/delivery?sku={SKU}").get_data(as_text=True)
    assert re.findall(r'data-value="([^"]+)"', offered) == ["PO-2", "PO-3"]
    assert send(olga, str(links[1]["href"])).status_code == 303
    catch_up(console)
    assert "On hand 3" in shown(olga, f"/product?sku={SKU}")


def test_each_product_offers_what_makes_sense_for_it_now(console: Flask) -> None:
    run(console, add(), receive(3), reserve("W1", 1), add(sku="POST", tracked=False))
    run(console, add(sku="OLD"), do.RetireProduct(sku="OLD"))
    admin = client_in(console, "admin")
    assert "RetireProduct" not in tasks(admin)
    assert tasks(admin, "POST") == ["SetProductPrice", "RenameProduct", "RetireProduct"]
    assert tasks(admin, "OLD") == ["RestoreProduct"]
    assert tasks(client_in(console, "operator")) == ["ReceiveStock", "ExpectStock"]
    assert tasks(client_in(console, "viewer")) == []


@pytest.mark.parametrize("sku", ODD)
def test_whatever_stands_on_orders_can_be_a_products_number(console: Flask, sku: str) -> None:
    admin = client_in(console, "admin")
    location = send(admin, "/commands/AddProduct", sku=sku, description="Odd").location
    run(console, add())
    assert sku in shown(admin, location)
    [link] = page(admin, "/products?q=odd").find_all("a", href=re.compile(r"^/product\?"))
    assert sku in shown(admin, str(link["href"]))
    past = page(admin, location).find("a", href=re.compile(r"^/past\?"))
    assert past is not None
    assert f"Product {sku}" in shown(admin, str(past["href"]))


def test_products_are_found_filtered_and_sorted(console: Flask) -> None:
    run(console, add(low_below=9), receive(2), add(sku="B", description="Ü-cup", low_below=9))
    run(console, add(sku="POST", description="", tracked=False), add(sku="OLD"))
    run(console, do.RetireProduct(sku="OLD"))
    ann = client_in(console, "viewer")
    assert numbers_in(ann, "/products") == [SKU, "B", "POST"]
    assert numbers_in(ann, "/products?q=u-CUP") == ["B"]
    assert numbers_in(ann, "/products?show=low&sort=short&descending=1") == ["B", SKU]
    assert numbers_in(ann, "/products?show=out") == ["B"]
    assert numbers_in(ann, "/products?show=charges") == ["POST"]
    assert numbers_in(ann, "/products?show=retired") == ["OLD"]
    assert numbers_in(ann, "/products?sort=description&descending=1") == ["B", SKU, "POST"]
    assert "No products match" in shown(ann, "/products?q=nothing")
    text = shown(ann, "/home/low-stock")
    assert text.index("Ü-cup") < text.index("Heart")


def test_the_ledger_of_a_product_is_turned_over_page_by_page(console: Flask) -> None:
    run(console, add(), *(receive(1, f"PO-{number}") for number in range(1, 41)))
    ann = client_in(console, "viewer")
    texts = [found.get_text(" ") for found in linked_pages(ann, f"/product?sku={SKU}", "next")]
    seen = re.findall(r"PO-\d+", " ".join(texts))
    assert seen == [f"PO-{number}" for number in range(40, 0, -1)]


def test_what_left_for_orders_is_counted(console: Flask) -> None:
    run(console, add(), receive(9), reserve("W1", 4), commit("W1", 1), commit("W1"))
    assert "Shipped 4" in shown(client_in(console, "viewer"), f"/product?sku={SKU}")
