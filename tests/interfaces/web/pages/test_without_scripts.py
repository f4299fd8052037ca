"""The whole job in a browser without scripts: every page is a page, every form a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page

from cqrs_app.areas.orders.commands import AddOrderNote, HoldOrder
from cqrs_app.areas.orders.words import HoldReason
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.services import services_of
from tests.console import NO_REDIS, MakeConsole
from tests.interfaces.web.pages.conftest import (
    catch_up,
    client_in,
    order_in,
    process_of,
    wait_until,
)
from tests.paging import all_pages

BEN = Actor("ben", frozenset({"orders.note", "orders.hold"}))


def page(client: FlaskClient, address: str) -> BeautifulSoup:
    answer = client.get(address, follow_redirects=True)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return BeautifulSoup(answer.get_data(), "html.parser")


def linked_pages(client: FlaskClient, address: str, rel: str) -> Iterator[BeautifulSoup]:
    """This page and all that follow by the link with this `rel`."""

    def link_of(soup: BeautifulSoup) -> str | None:
        link = soup.find("a", rel=rel)
        return str(link["href"]) if link else None

    return all_pages(page(client, address), lambda link: page(client, link), link_of)


def fields(soup: BeautifulSoup) -> dict[str, Any]:
    form = soup.find(id="command")
    assert form is not None
    values: dict[str, Any] = {}
    for field in form.find_all(["input", "textarea", "select"]):
        if field.get("type") == "checkbox":
            if field.has_attr("checked"):
                values.setdefault(field["name"], []).append(field["value"])
        elif field.get("name"):
            chosen = field.find("option", selected=True) if field.name == "select" else None
            values[field["name"]] = (
                chosen["value"] if chosen else field.get("value", field.get_text().strip())
            )
    return values


def send(client: FlaskClient, address: str, **changes: str | list[str]) -> Any:
    values = fields(page(client, address)) | changes
    return client.post(address, data=values)


def form_address(client: FlaskClient, order_id: str, command: str) -> str:
    shown, address = page(client, f"/orders/{order_id}"), re.compile(f"/commands/{command}")
    found = shown.find("a", href=address) or shown.find("form", action=address)
    assert found is not None, f"{command} is not offered"
    return str(found.get("href") or found["action"])


def test_an_order_is_found_approved_and_shown_everywhere(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    found = page(client, f"/orders?q={order_id}")
    assert found.find("a", href=re.compile(f"/orders/{order_id}\\?list="))
    answer = send(client, form_address(client, order_id, "ApproveOrder"))
    assert (answer.status_code, answer.location) == (303, f"/orders/{order_id}")
    after = page(client, f"/orders/{order_id}").get_text(" ")
    assert "Order approved. Lists update" in after
    assert "pending" in after
    catch_up(shop)
    shown = page(client, f"/orders/{order_id}").get_text(" ")
    assert "pending" not in shown
    assert "Order approved" in shown or "Approved" in shown
    log = page(client, f"/log?stream={order_id}").get_text(" ")
    assert "Approve order" in log


def test_an_action_leads_back_to_the_list_the_order_was_opened_from(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    opened = page(client, "/orders?stage=needs_approval").find("a", string=order_id)
    assert opened is not None
    address = str(opened["href"])
    link = page(client, address).find("a", href=re.compile("^/commands/HoldOrder"))
    assert link is not None
    form = page(client, str(link["href"]))
    assert form.find("a", string="Back")["href"] == address
    answer = send(client, str(link["href"]), reason="address_check")
    assert (answer.status_code, answer.location) == (303, address)
    back = page(client, address).find("a", attrs={"data-up": True})
    assert back is not None
    assert back["href"] == "/orders?stage=needs_approval"


@pytest.mark.parametrize(
    "address", ["https://example.com/orders/1", "//example.com", "/log", "/orders/other?list=a"]
)
def test_an_action_leads_to_no_other_page_than_its_own(
    shop: Flask, client_of: Callable[[str], FlaskClient], address: str
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    form = f"/commands/AddOrderNote?order_id={order_id}&from={quote(address)}"
    assert send(client, form, note="Called.").location == f"/orders/{order_id}"


def test_the_list_marks_a_row_that_does_not_hold_its_last_change_yet(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    send(client, form_address(client, order_id, "ApproveOrder"))
    assert "pending" in page(client, f"/orders?q={order_id}").get_text(" ")
    catch_up(shop)
    assert "pending" not in page(client, f"/orders?q={order_id}").get_text(" ")


def test_an_order_stays_marked_until_its_timeline_holds_the_change_too(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    send(client, form_address(client, order_id, "ApproveOrder"))
    kernel: Kernel = services_of(shop).kernel
    kernel.runner.advance("orders")
    held_back = page(client, f"/orders/{order_id}")
    assert "pending" in held_back.get_text(" ")
    panel = held_back.find("section", attrs={"aria-labelledby": "timeline-heading"})
    assert panel is not None
    assert "Approved" not in panel.get_text(" ")
    as_of = panel.find("time")
    (approved,) = kernel.store.events_of(f"order-{order_id}", after=1)
    assert as_of is not None
    assert datetime.fromisoformat(str(as_of["datetime"])) <= approved.recorded_at
    kernel.runner.advance("order_timeline")
    assert "pending" not in page(client, f"/orders/{order_id}").get_text(" ")


def test_what_waits_for_a_paused_projection_is_not_asked_for_in_haste(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    send(client, form_address(client, order_id, "ApproveOrder"))
    assert page(client, f"/orders/{order_id}").find(attrs={"data-poll": "pending"})
    kernel: Kernel = services_of(shop).kernel
    with kernel.engines.read.begin() as connection:
        cursors_in("read").set_state(connection, "order_timeline", "paused")
    catch_up(shop)
    shown = page(client, f"/orders/{order_id}")
    assert "pending" in shown.get_text(" ")
    assert "updates paused" in shown.get_text(" ")
    assert not shown.find(attrs={"data-poll": "pending"})


def test_an_order_whose_timeline_cannot_take_the_change_in_says_so(
    shop: Flask, client_of: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    kernel: Kernel = services_of(shop).kernel
    takes_in = kernel.registry.projections["order_timeline"].handlers
    monkeypatch.setitem(takes_in, "OrderApproved", lambda event, recorded, rows: 1 / 0)
    send(client, form_address(client, order_id, "ApproveOrder"))
    catch_up(shop)
    shown = page(client, f"/orders/{order_id}").get_text(" ")
    assert "an event could not be applied" in shown
    assert "pending:" not in shown


def test_sending_a_form_twice_does_the_task_once(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    kernel: Kernel = services_of(shop).kernel
    address = form_address(client, order_id, "AddOrderNote")
    values = fields(page(client, address)) | {"note": "Ring twice."}
    before = kernel.store.load(f"order-{order_id}")
    for _ in range(2):
        assert client.post(address, data=values).status_code == 303
    after = kernel.store.load(f"order-{order_id}")
    assert before is not None
    assert after is not None
    assert after.version == before.version + 1


def test_a_change_by_someone_else_is_shown_and_the_operator_decides(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    kernel: Kernel = services_of(shop).kernel
    address = form_address(client, order_id, "ApproveOrder")
    values = fields(page(client, address))
    kernel.commands.execute(
        AddOrderNote(order_id=order_id, note="Wait for Ben"), Context(actor=BEN, channel="form")
    )
    answer = client.post(address, data=values)
    assert answer.status_code == 409
    soup = BeautifulSoup(answer.get_data(), "html.parser")
    text = " ".join(soup.get_text(" ").split())
    assert "has changed since you looked at it" in text
    assert "Order note added by ben" in text
    assert "anyway" in text
    again = client.post(address, data=fields(soup))
    assert again.status_code == 303
    entry = kernel.store.events_of(f"order-{order_id}")[-1]
    assert entry.type == "OrderApproved"


def test_a_conflict_after_which_the_rule_says_no_offers_no_way_on(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    kernel: Kernel = services_of(shop).kernel
    address = form_address(client, order_id, "ApproveOrder")
    values = fields(page(client, address))
    kernel.commands.execute(
        HoldOrder(order_id=order_id, reason=HoldReason.FRAUD_SUSPECTED),
        Context(actor=BEN, channel="form"),
    )
    answer = client.post(address, data=values)
    assert answer.status_code == 409
    assert "anyway" not in answer.get_data(as_text=True)


def test_a_refusal_comes_back_with_its_sentence_and_what_was_entered(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("supervisor"), order_in(shop, "delivered")
    answer = send(
        client,
        f"/commands/CancelOrder?order_id={order_id}",
        reason="duplicate",
        note="sent in twice",
    )
    assert answer.status_code == 422
    text = answer.get_data(as_text=True)
    assert "can no longer be cancelled" in text
    assert "sent in twice" in text


def test_unusable_fields_are_told_where_they_stand(
    client_of: Callable[[str], FlaskClient],
) -> None:
    answer = send(client_of("operator"), "/commands/PlaceOrder", currency="pounds", country="")
    assert answer.status_code == 422
    soup = BeautifulSoup(answer.get_data(), "html.parser")
    assert len(soup.find_all(class_="field-error")) >= 2
    assert fields(soup)["currency"] == "pounds"


def test_the_focus_goes_to_the_first_unusable_field_also_inside_a_line(
    client_of: Callable[[str], FlaskClient],
) -> None:
    given = {"order_id": "W-9", "country": "Germany", "currency": "EUR"}
    line = {"lines-0-sku": "X", "lines-0-quantity": "none", "lines-0-unit_price": "1"}
    answer = send(client_of("operator"), "/commands/PlaceOrder", **given, **line)
    focused = BeautifulSoup(answer.get_data(), "html.parser").find_all(autofocus=True)
    assert [each["name"] for each in focused] == ["lines-0-quantity"]


def test_an_order_is_placed_with_an_added_line_and_empty_ones_are_ignored(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("operator")
    address = "/commands/PlaceOrder"
    values = fields(page(client, address)) | {"lines-add": "1"}
    soup = BeautifulSoup(client.post(address, data=values).get_data(), "html.parser")
    values = fields(soup)
    numbers = {name.split("-")[1] for name in values if name.startswith("lines-")}
    rows = sorted(filter(str.isdecimal, numbers))
    assert len(rows) == 6
    for row in (rows[1], rows[5]):
        values |= {
            f"lines-{row}-sku": f"SKU-{row}",
            f"lines-{row}-description": "Lamp",
            f"lines-{row}-quantity": "2",
            f"lines-{row}-unit_price": "12.3456",
        }
    values |= {"order_id": "W-1", "country": "Germany", "currency": "EUR"}
    answer = client.post(address, data=values)
    assert (answer.status_code, answer.location) == (303, "/orders/W-1")
    text = page(client, "/orders/W-1").get_text(" ")
    assert "49.38" in text
    catch_up(shop)
    assert 'title="Exactly 49.3824"' in str(page(client, "/orders?q=W-1"))


def test_what_people_write_is_shown_and_never_run(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client, order_id = client_of("operator"), order_in(shop, "placed")
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'{{7*7}}"
    send(client, form_address(client, order_id, "AddOrderNote"), note=evil)
    catch_up(shop)
    raw = client.get(f"/orders/{order_id}").get_data(as_text=True)
    assert "<script>alert" not in raw
    assert "<img src=x" not in raw
    assert "{{7*7}}" in raw


def test_every_panel_states_its_age(client_of: Callable[[str], FlaskClient], shop: Flask) -> None:
    client, order_id = client_of("admin"), order_in(shop, "placed")
    for address in ("/", "/orders", f"/orders/{order_id}", "/customers", "/system"):
        assert page(client, address).find(class_="fresh"), address


def test_redis_away_is_said_and_everything_still_works(make_shop: MakeConsole) -> None:
    app = make_shop(redis_url=NO_REDIS)
    client, order_id = client_in(app, "operator"), order_in(app, "placed")
    assert "Redis is down" in page(client, f"/orders/{order_id}").get_text(" ")
    answer = send(client, form_address(client, order_id, "ApproveOrder"))
    assert answer.status_code == 303
    catch_up(app)
    assert "pending" not in page(client, f"/orders/{order_id}").get_text(" ")


def test_a_queued_task_is_marked_until_a_worker_has_done_it(
    make_shop: MakeConsole,
) -> None:
    app = make_shop(command_bus_type="asynchronous")
    client, order_id = client_in(app, "operator"), order_in(app, "placed")
    kernel: Kernel = services_of(app).kernel
    answer = send(client, form_address(client, order_id, "ApproveOrder"))
    assert answer.status_code == 303
    assert "pending: Approve order by operator" in _words(client, order_id)
    assert [e.type for e in kernel.store.events_of(f"order-{order_id}")][-1] != "OrderApproved"
    with process_of(app, "worker"):
        wait_until(lambda: "pending" not in _words(client, order_id))
    assert kernel.store.events_of(f"order-{order_id}")[-1].type == "OrderApproved"


def _words(client: FlaskClient, order_id: str) -> str:
    return " ".join(page(client, f"/orders/{order_id}").get_text(" ").split())


def test_lists_without_pages_show_everything_at_once(make_shop: MakeConsole) -> None:
    app = make_shop(query_pagination_enabled=False)
    soup = page(client_in(app, "operator"), "/orders")
    assert len(soup.select("[data-row]")) == 40
    assert soup.find("nav", attrs={"aria-label": "Pages of orders"}) is None or not soup.select(
        "nav.pager a"
    )


def test_with_a_worker_the_next_page_holds_the_change_already(
    make_shop: MakeConsole,
) -> None:
    app = make_shop(read_your_writes_seconds=20.0)
    client, order_id = client_in(app, "operator"), order_in(app, "placed")
    with process_of(app, "worker"):
        answer = send(client, form_address(client, order_id, "ApproveOrder"))
    assert answer.status_code == 303
    assert "pending" not in _words(client, order_id)


def test_a_command_is_sent_with_the_token_of_its_form(
    shop: Flask, client_of: Callable[[str], FlaskClient]
) -> None:
    client = client_of("operator")
    address = form_address(client, order_in(shop, "placed"), "AddOrderNote")
    assert send(client, address, note="Mind the dog.", csrf_token="forged").status_code == 422
    assert send(client, address, note="Mind the dog.").status_code == 303


def test_the_title_of_a_form_names_what_it_is_about(
    client_of: Callable[[str], FlaskClient], shop: Flask
) -> None:
    client, order_id = client_of("admin"), order_in(shop, "placed")
    for name, title, button in (
        ("ApproveOrder", f"Approve order {order_id}", f"Approve order {order_id}"),
        ("ChangeOrderLines", f"Change lines: order {order_id}", "Change lines"),
        ("RetryFulfilment", f"Retry: order {order_id}", "Retry"),
    ):
        form = page(client, f"/commands/{name}?order_id={order_id}")
        assert form.h1 is not None
        assert form.h1.get_text() == title
        assert form.select_one("#command .form-actions .btn-main").get_text(strip=True) == button  # type: ignore[union-attr]
    form = page(client, "/commands/ReceiveStock?sku=MUG-101")
    assert form.h1 is not None
    assert form.h1.get_text() == "Receive stock: product MUG-101"
    for address, title in (
        ("DeleteMacro?owner=@team&macro=Odd", "Delete macro"),
        ("DelegateSignatures?operator=admin", "Delegate signatures"),
        ("RecordAccessReview?digest=abc", "Record access review"),
    ):
        form = page(client, f"/commands/{address}")
        assert form.h1 is not None
        assert form.h1.get_text() == title


def test_a_form_lists_the_countries_once_for_all_fields_that_offer_them(
    client_of: Callable[[str], FlaskClient],
) -> None:
    form = page(client_of("operator"), "/commands/PlaceOrder")
    fields = form.select("input[autocomplete$=country-name]")
    assert len(fields) == 3
    [list_id] = {str(each["list"]) for each in fields}
    [offered] = form.select(f"datalist#{list_id}")
    assert "Ireland" in {str(each["value"]) for each in offered.select("option")}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_without_scripts_the_theme_is_that_of_the_system(signed_in: Callable[..., Page]) -> None:
    shown = {}
    for scheme in ("light", "dark"):
        opened = signed_in("viewer", color_scheme=scheme, java_script_enabled=False)
        opened.goto("/account")
        colour = "body => getComputedStyle(body).backgroundColor"
        shown[scheme] = opened.locator("body").evaluate(colour)
    assert shown == {"light": "rgb(246, 247, 249)", "dark": "rgb(13, 15, 19)"}
