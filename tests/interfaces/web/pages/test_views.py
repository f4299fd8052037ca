"""Saved views as tabs above lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up, client_in, order_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.performance.plenty import do
from tests.services.statements import statements
from tests.services.stores import on_one_database


def tabs(shown: BeautifulSoup) -> dict[str, str]:
    """Name -> count of each tab."""
    found = shown.select(".view-tabs nav a")
    return {each.bdi.get_text(strip=True): _count(each) for each in found if each.bdi}


def _count(tab: Any) -> str:
    return str(tab.select_one(".tabular").get_text(strip=True))


def chosen(shown: BeautifulSoup) -> str:
    [tab] = shown.select(".view-tabs nav [aria-current]")
    assert tab.bdi
    return tab.bdi.get_text(strip=True)


def heading(shown: BeautifulSoup, name: str = "orders") -> str:
    found = shown.select_one(f"#{name}-heading")
    assert found
    return found.get_text(strip=True)


def save(client: FlaskClient, url: str, name: str, **more: str) -> Any:
    """Press Save view above the list at this address, and send the form."""
    return _send(client, action(page(client, url), "Save view"), view=name, **more)


def action(shown: BeautifulSoup, text: str) -> str:
    """The address of a button beside the tabs; empty where there is none."""
    found = (each for each in shown.select(".view-actions a") if each.text.strip() == text)
    return next((str(each["href"]) for each in found), "")


def _send(client: FlaskClient, address: str, **typed: str) -> Any:
    form = page(client, address).select_one("form.command-form, main form[method=post]")
    assert form
    sent = {str(each["name"]): each.get("value", "") for each in form.select("input[name]")}
    for each in form.select("select[name]"):
        option = each.select_one("option[selected]") or each.select_one("option")
        assert option
        sent[str(each["name"])] = option.get("value", "")
    return client.post(form["action"], data=sent | typed)


def test_a_list_is_saved_as_it_is_shown_and_is_a_tab_from_then_on(shared_shop: Flask) -> None:
    client = client_in(shared_shop, "operator")
    address = "/orders?stage=needs_approval&stage=on_hold&min_total=1.50&sort=total&descending=1"
    answer = save(client, f"{address}&columns=customer,total", "Ours, by value")
    assert answer.status_code == 303
    shown = page(client, answer.location)
    assert chosen(shown) == "Ours, by value"
    assert heading(shown) == heading(page(client, address))
    assert heading(shown).split()[0] == tabs(shown)["Ours, by value"]
    heads = [each.get_text(strip=True) for each in shown.select("#orders-table thead th")]
    assert heads == ["Order", "Stage", "Customer", "Total"]
    assert not action(shown, "Save view")
    # Theirs alone.
    assert "Ours, by value" not in tabs(page(client_in(shared_shop, "supervisor"), "/orders"))


def test_every_stage_with_orders_is_a_view_with_its_count(shared_shop: Flask) -> None:
    client = client_in(shared_shop, "viewer")
    shown = page(client, "/orders")
    assert chosen(shown) == "All"
    assert heading(shown) == f"{tabs(shown)['All']} orders"
    for tab in shown.select(".view-tabs nav a"):
        listed = page(client, str(tab["href"]))
        assert heading(listed).split()[0] == _count(tab)
    assert not action(shown, "Save view")


def test_a_changed_view_is_still_marked_and_can_be_replaced(shared_shop: Flask) -> None:
    client = client_in(shared_shop, "operator")
    view = save(client, "/orders?currency=EUR", "Euros").location
    changed = page(client, f"{view}&stage=shipped")
    assert chosen(changed) == "Euros"
    replaced = _send(client, action(changed, "Update Euros"))
    assert parse_qs(urlsplit(replaced.location).query)["stage"] == ["shipped"]
    names = list(tabs(page(client, "/orders")))
    assert names.count("Euros") == 1


def test_two_stages_are_neither_of_their_views(shared_shop: Flask) -> None:
    shown = page(client_in(shared_shop, "viewer"), "/orders?stage=shipped&stage=delivered")
    assert chosen(shown) == "All"


def test_the_team_sees_a_shared_view_and_a_role_opens_it_first(
    make_shop: MakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.interfaces.web.shell.LOOK_EVERY_SECONDS", -1.0)
    app = make_shop()
    lead = client_in(app, "supervisor")
    answer = save(lead, "/orders?currency=EUR", "Euros", owner="@team", default_for="viewer")
    assert answer.status_code == 303
    viewer = client_in(app, "viewer")
    assert "Euros" in tabs(page(viewer, "/orders"))
    opened = page(viewer, "/").select_one("nav a:-soup-contains('Orders')")
    assert opened
    assert chosen(page(viewer, str(opened["href"]))) == "Euros"
    others = page(lead, "/").select_one("nav a:-soup-contains('Orders')")
    assert others
    assert others["href"] == "/orders"
    # The default does not take the whole list away.
    assert chosen(page(viewer, "/orders")) == "All"


def test_a_supervisor_alone_saves_for_the_team(shared_shop: Flask) -> None:
    client = client_in(shared_shop, "operator")
    form = page(client, "/commands/SaveView?list=orders")
    assert [each.get_text() for each in form.select("select[name=owner] option")] == ["Only me"]
    answer = save(client, "/orders?currency=EUR", "Ours", owner="@team")
    assert answer.status_code == 403
    assert "views.share" in answer.text


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/customers?sort=name&descending=0", "customers"),
        ("/products?show=low", "products"),
        ("/payments?status=captured", "payments"),
    ],
)
def test_every_list_has_views(shared_shop: Flask, address: str, name: str) -> None:
    client = client_in(shared_shop, "operator")
    answer = save(client, f"{address}&columns=none", f"My {name}")
    shown = page(client, answer.location)
    assert chosen(shown) == f"My {name}"
    assert tabs(shown)[f"My {name}"] == heading(shown, name).split()[0]


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("customers", ["status=active", "status=erased"]),
        ("products", ["show=low", "show=retired"]),
        ("payments", ["status=captured", "show=unsettled"]),
        ("expenses", ["status=paid", "kind=permit"]),
    ],
)
def test_the_views_of_a_list_are_counted_in_one_statement(
    shared_shop: Flask, name: str, filters: list[str]
) -> None:
    client = client_in(shared_shop, "supervisor")
    for each in filters:
        assert save(client, f"/{name}?{each}", each.replace("=", " ")).status_code == 303
    shown = page(client, f"/{name}")
    for tab in shown.select(".view-tabs nav a"):
        assert heading(page(client, str(tab["href"])), name).split()[0].replace(
            "No", "0"
        ) == _count(tab)
    kernel = services_of(shared_shop).kernel
    kernel.cache.forget_all()
    with statements() as sent:
        page(client, f"/{name}")
    counting = [each for each in sent if str(each).lower().count("count(*)") > len(filters)]
    assert len(counting) == 1, list(map(str, sent))


def test_views_are_renamed_shared_and_deleted_on_their_page(shared_shop: Flask) -> None:
    client = client_in(shared_shop, "supervisor")
    save(client, "/orders?currency=EUR&flagged=1", "Odd euros")

    def press(button: str, name: str, **typed: str) -> Any:
        row = page(client, "/views").find("a", string=name)
        assert row
        tr = row.find_parent("tr")
        assert tr
        link = next(each for each in tr.select("a.btn") if each.text.startswith(button))
        return _send(client, str(link["href"]), **typed)

    press("Rename", "Odd euros", new_name="Flagged euros")
    assert "Flagged euros" in tabs(page(client, "/orders"))
    press("Share", "Flagged euros")
    assert "Flagged euros" in tabs(page(client_in(shared_shop, "viewer"), "/orders"))
    press("Delete", "Flagged euros")
    press("Delete", "Flagged euros")
    assert "Flagged euros" not in tabs(page(client, "/orders"))


def test_a_search_text_is_not_offered_to_be_saved(shared_shop: Flask) -> None:
    shown = page(client_in(shared_shop, "operator"), "/orders?q=ada&currency=EUR")
    assert not action(shown, "Save view")


def scheduling(client: FlaskClient, url: str) -> tuple[str, dict[str, str]]:
    """The last item of the menu Download, and the values of the form that it leads to."""
    [item] = page(client, url).select(
        ".menu-body a[href*='ScheduleExport'], .menu-body a[href*='SaveView']"
    )
    form = page(client, str(item["href"])).select_one("form.command-form, main form[method=post]")
    assert form
    values = {str(each["name"]): str(each.get("value", "")) for each in form.select("input[name]")}
    for each in form.select("select[name]:has(option[selected])"):
        values[str(each["name"])] = str(each.select("option[selected]")[0]["value"])
    return item.get_text(strip=True), values


def test_the_download_menu_leads_to_the_export_of_this_list_and_view(shared_shop: Flask) -> None:
    client = client_in(shared_shop, "supervisor")
    label, form = scheduling(client, "/customers?limit=10")
    assert (label, form["list"], form["view"]) == ("Schedule export", "customers", "")
    view = save(client, "/orders?currency=EUR&min_total=2", "Above two").location
    label, form = scheduling(client, f"{view}&limit=10")
    assert (label, form["list"], form["view"]) == (
        "Schedule export of this view",
        "orders",
        "Above two",
    )
    label, form = scheduling(client, f"{view}&stage=shipped")
    assert (label, form["list"]) == ("Save view to schedule it", "orders")
    assert "stage=shipped" in form["query"]
    searched = page(client, "/orders?q=ada").select_one(".menu-body:has(a[download])")
    assert searched
    assert not searched.select("a[href*='/commands/']")
    seen = page(client_in(shared_shop, "operator"), "/orders")
    assert not seen.select("a[href*='ScheduleExport']")


def test_amounts_are_saved_as_they_are_meant(make_shop: MakeConsole) -> None:
    client = client_in(make_shop(locale="de_DE"), "operator")
    answer = save(client, "/orders?min_total=1.250,5", "Große")
    assert parse_qs(urlsplit(answer.location).query)["min_total"] == ["1250,5"]
    assert chosen(page(client, answer.location)) == "Große"


@on_one_database
def test_counts_of_an_open_page_follow(shop: Flask, signed_in: Callable[..., Page]) -> None:
    opened = signed_in("operator")
    opened.goto("/orders?sort=total")
    tab = opened.locator(".view-tabs a", has_text="Needs approval")
    expect(tab.locator(".tabular").first).to_have_text("1")
    do(shop, [ApproveOrder(order_id=order_in(shop, "placed"))])
    catch_up(shop)
    expect(tab).to_have_count(0)
    # The sort stays where the changes are shown.
    expect(opened.locator("#order-changes-show")).to_have_attribute("href", "/orders?sort=total")


def test_the_page_of_views_leads_back_to_the_list_it_was_opened_from(shared_shop: Flask) -> None:
    client = client_in(shared_shop, "operator")
    save(client, "/products?show=low", "Short of")
    opened = action(page(client, "/products"), "Saved views")
    back = page(client, opened).select_one(".crumbs a")
    assert back
    assert (back["href"], back.text.strip()) == ("/products", "Products")
    assert not page(client, "/views?list=nothing").select(".crumbs a")


@pytest.mark.parametrize("kind", ["sqlite"])
def test_the_chosen_tab_is_in_sight_on_a_phone(signed_in: Callable[..., Page]) -> None:
    phone = signed_in("admin", viewport={"width": 390, "height": 844})
    for address, name in (("/approvals?view=decided", "Decided"), ("/system/storage", "Storage")):
        phone.goto(address)
        tab = phone.locator(".stage-tabs").get_by_role("link", name=name)
        expect(tab).to_be_in_viewport(ratio=0.98)
