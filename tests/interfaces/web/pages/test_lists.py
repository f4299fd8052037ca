"""Lists: how many rows there are, which page this is, the columns an operator chose, and an order's
neighbours in the list it was opened from."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

Clients = Callable[[str], FlaskClient]


def rows_of(page: str) -> list[str]:
    return [link.text for link in BeautifulSoup(page, "html.parser").select("main [data-row]")]


def link_of(page: str, selector: str) -> str:
    link = BeautifulSoup(page, "html.parser").select_one(selector)
    assert link, selector
    return str(link["href"])


def test_a_list_says_how_many_fit_and_which_page_it_is(client_of: Clients) -> None:
    client = client_of("admin")
    first = client.get("/orders?limit=15").text
    assert "40 orders</h2>" in first
    assert "Page 1 of 3" in first
    second = client.get(link_of(first, "a[rel=next]")).text
    assert "Page 2 of 3" in second
    last = client.get(link_of(second, "a[rel=next]")).text
    assert "Page 3 of 3" in last
    assert "Page 2 of 3" in client.get(link_of(last, "a[rel=prev]")).text
    some = client.get("/orders?limit=15&country=France").text
    count = re.search(r"(\d+) orders?</h2>", some)
    assert count
    assert 0 < int(count[1]) < 40


@pytest.mark.parametrize(
    "address", ["/customers", "/products", "/payments", "/expenses", "/credit-notes"]
)
def test_other_lists_count_too(client_of: Clients, address: str) -> None:
    page = client_of("admin").get(address).text
    assert "on this page</h2>" not in page or address == "/credit-notes"


def test_columns_and_density_are_kept_for_the_operator(shop: Flask, client_of: Clients) -> None:
    shop.config["WTF_CSRF_ENABLED"] = False
    client, other = client_of("admin"), client_of("supervisor")
    assert ">Country</th>" in client.get("/orders").text
    view = {"column": ["customer", "total"], "density": "compact", "next": "/orders?limit=15"}
    answer = client.post("/account/lists/orders", data=view)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/orders?limit=15")
    page = client_of("admin").get("/orders").text
    assert ">Country</th>" not in page
    assert ">Customer</th>" in page
    assert 'data-density="compact"' in page
    assert ">Country</th>" in other.get("/orders").text
    assert client.post("/account/lists/none-such", data=view).status_code == 404
    assert (
        client.post("/account/lists/orders", data={"next": "//elsewhere.example"}).headers[
            "Location"
        ]
        == "/"
    )


@pytest.mark.parametrize("name", ["orders", "customers", "products", "payments"])
def test_every_list_shows_with_no_column_but_those_that_always_show(
    shop: Flask, client_of: Clients, name: str
) -> None:
    shop.config["WTF_CSRF_ENABLED"] = False
    client = client_of("admin")
    client.post(f"/account/lists/{name}", data={})
    table = BeautifulSoup(client.get(f"/{name}").text, "html.parser").select_one("main table")
    for row in table.select("tbody tr") if table else ():
        assert len(row.select("th, td")) == len(table.select("thead th"))


def test_countries_and_currencies_of_the_orders_are_choices(client_of: Clients) -> None:
    page = BeautifulSoup(client_of("admin").get("/orders?country=Norway").text, "html.parser")
    countries = [option.text for option in page.select("#filter-country option")]
    assert "France" in countries
    # One that no order has, but that was asked for.
    assert page.select_one("#filter-country option[selected]").text == "Norway"
    assert "EUR" in [option.text for option in page.select("#filter-currency option")]


def test_an_order_leads_to_its_neighbours_in_the_list_and_back(client_of: Clients) -> None:
    client = client_of("admin")
    address = "/orders?status=cancelled&sort=total&descending=1"
    listed = client.get(address).text
    names = rows_of(listed)
    assert len(names) > 2
    page = client.get(link_of(listed, "main [data-row]")).text
    assert not BeautifulSoup(page, "html.parser").select("[rel=prev]")
    walked = [names[0]]
    for _ in names[1:]:
        beside = link_of(page, "[rel=next]")
        walked.append(urlsplit(beside).path.rpartition("/")[2])
        page = client.get(beside).text
    assert walked == names
    assert urlsplit(link_of(page, "[rel=prev]")).path == f"/orders/{names[-2]}"
    back = urlsplit(link_of(page, "[data-up]"))
    assert parse_qs(back.query) == parse_qs(urlsplit(address).query)


def test_an_order_without_a_list_has_neighbours_among_all(client_of: Clients) -> None:
    client = client_of("admin")
    names = rows_of(client.get("/orders").text)
    page = client.get(f"/orders/{names[1]}").text
    assert urlsplit(link_of(page, "[rel=next]")).path == f"/orders/{names[2]}"
    assert urlsplit(link_of(page, "[rel=prev]")).path == f"/orders/{names[0]}"


@pytest.mark.parametrize("text", ["status=none-such", "limit=x&sort=9", "%00", "after=x"])
def test_a_list_that_cannot_be_read_does_not_stop_the_order(client_of: Clients, text: str) -> None:
    client = client_of("admin")
    name = rows_of(client.get("/orders").text)[0]
    assert client.get(f"/orders/{name}", query_string={"list": text}).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_click_on_a_row_opens_it_and_text_can_be_selected(signed_in: Callable[..., Page]) -> None:
    page = signed_in("admin", viewport={"width": 1440, "height": 900})
    page.goto("/orders?limit=15")
    name = page.locator("main [data-row]").first.text_content()
    cell = page.locator("main tbody tr").first.locator("td", has=page.locator("time")).first
    box = cell.locator("time").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, middle)
    page.mouse.up()
    assert page.evaluate("String(getSelection())")
    expect(page).to_have_url("/orders?limit=15")
    page.evaluate("getSelection().removeAllRanges()")
    with page.context.expect_page() as opened:
        cell.click(modifiers=["Control"])
    expect(opened.value).to_have_url(re.compile(f"/orders/{name}"))
    cell.click()
    page.wait_for_url(f"**/orders/{name}?list=limit*")
    page.keyboard.press("j")
    page.wait_for_url(re.compile(rf"/orders/(?!{name})"))
    page.keyboard.press("u")
    expect(page).to_have_url("/orders?limit=15")


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_head_of_a_long_list_stays_in_sight(signed_in: Callable[..., Page]) -> None:
    page = signed_in("admin", viewport={"width": 1440, "height": 500})
    page.goto("/orders")
    page.keyboard.press("End")
    page.locator("main [data-row]").last.scroll_into_view_if_needed()
    expect(page.locator("main thead").get_by_text("Customer")).to_be_in_viewport()


def test_a_filter_by_stage_is_named_as_on_the_page(client_of: Clients) -> None:
    shown = client_of("viewer").get("/orders?stage=delivered").text
    chips = BeautifulSoup(shown, "html.parser").select(".chip:not(.chip-choice)")
    assert [each.get_text(" ", strip=True) for each in chips] == [
        "Stage Delivered remove this filter"
    ]
