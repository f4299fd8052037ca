"""Macros without scripts: made step by step, run on one order, on several, by command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from cqrs_app.platform.macros.commands import SaveMacro
from cqrs_app.platform.macros.macros import Macro
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up, client_in
from tests.interfaces.web.pages.test_batches import press, select, text
from tests.interfaces.web.pages.test_without_scripts import page
from tests.platform.batches.conftest import SAM, Shop

STEPS = ("HoldOrder?reason=other&note=Check+the+address", "AddOrderTag?tag=odd")


@pytest.fixture
def shop(console: Flask) -> Shop:
    found = Shop(console)
    found.place("A-1", "A-2")
    return found


def token_in(shown: BeautifulSoup) -> str:
    found = shown.select_one("input[name=csrf_token]")
    assert found is not None
    return str(found["value"])


def macros_of(shop: Shop) -> list[Macro]:
    return services_of(shop.app).batches.macros(SAM)


def team_macro(shop: Shop, *steps: str) -> None:
    shop.run(SaveMacro(macro="Hold and tag", owner="@team", steps=steps or STEPS))


def running(shop: Shop, batch_id: str) -> None:
    catch_up(shop.app)
    shop.work(batch_id)


def test_a_macro_is_made_step_by_step(shop: Shop) -> None:
    client = client_in(shop.app, "supervisor")
    shown = page(client, "/macros/edit")
    sent: dict[str, Any] = {"csrf_token": token_in(shown), "macro": "Hold and tag"}
    sent |= {"owner": "@team", "next_step": "HoldOrder"}
    shown = BeautifulSoup(client.post("/macros/edit", data=sent | {"add": "1"}).data, "html.parser")
    assert [each["value"] for each in shown.select("input[name=step]")] == ["HoldOrder"]
    assert shown.select_one("[name=step0-reason]") is not None
    sent |= {"step": ["HoldOrder"], "step0-reason": "other", "step0-note": "Check the address"}
    sent |= {"next_step": "AddOrderTag"}
    shown = BeautifulSoup(client.post("/macros/edit", data=sent | {"add": "1"}).data, "html.parser")
    assert shown.select_one("[name=step0-note]").get_text(strip=True) == "Check the address"  # type: ignore[union-attr]
    sent |= {"step": ["HoldOrder", "AddOrderTag"]}
    refused = client.post("/macros/edit", data=sent | {"save": "1"})
    assert (refused.status_code, macros_of(shop)) == (422, [])
    assert "Required." in refused.text
    sent |= {"step1-tag": "odd", "save": "1"}
    assert client.post("/macros/edit", data=sent).status_code == 303
    assert macros_of(shop) == [Macro(name="Hold and tag", steps=STEPS)]
    assert "Hold and tag Hold order, Add tag The team" in text(client, "/macros")


def test_a_step_of_a_macro_has_boxes_for_several_choices(shop: Shop) -> None:
    client = client_in(shop.app, "supervisor")
    token = token_in(page(client, "/macros/edit"))
    sent = {"csrf_token": token, "macro": "Approve", "owner": "@team", "save": "1"}
    sent |= {"step": "ApproveExpenseClaim", "step0-note": "Fine"}
    chosen = sent | {"step0-further": ["supervisor", "director"]}
    assert client.post("/macros/edit", data=chosen).status_code == 303
    step = "ApproveExpenseClaim?further=supervisor&further=director&note=Fine"
    assert macros_of(shop) == [Macro(name="Approve", steps=(step,))]
    shown = page(client, "/macros/edit?macro=Approve&owner=@team")
    boxes = shown.select("[name=step0-further][checked]")
    assert [each["value"] for each in boxes] == ["supervisor", "director"]


def test_the_name_of_what_is_deleted_or_renamed_is_no_field(shop: Shop) -> None:
    team_macro(shop)
    client = client_in(shop.app, "supervisor")
    for command, fields in (("DeleteMacro", []), ("RenameMacro", ["new_name"])):
        shown = page(client, f"/commands/{command}?owner=@team&macro=Hold+and+tag")
        assert shown.select_one("main dd").get_text(strip=True) == "Hold and tag"  # type: ignore[union-attr]
        typed = shown.select("#command input:not([type=hidden])")
        assert [each["name"] for each in typed] == fields


def test_a_macro_without_a_name_or_steps_is_not_saved(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    token = token_in(page(client, "/macros/edit"))
    answer = client.post("/macros/edit", data={"csrf_token": token, "macro": "", "save": "1"})
    assert answer.status_code == 422
    assert "Add at least one step." in answer.text
    assert macros_of(shop) == []


def test_a_step_is_removed_and_the_others_keep_what_was_typed(shop: Shop) -> None:
    team_macro(shop)
    client = client_in(shop.app, "supervisor")
    shown = page(client, "/macros/edit?owner=@team&macro=Hold+and+tag")
    assert [each["value"] for each in shown.select("input[name=step]")] == [
        "HoldOrder",
        "AddOrderTag",
    ]
    sent = {"csrf_token": token_in(shown), "macro": "Tag", "owner": "@team", "remove": "0"}
    sent |= {"step": ["HoldOrder", "AddOrderTag"], "step1-tag": "late"}  # type: ignore[dict-item]
    shown = BeautifulSoup(client.post("/macros/edit", data=sent).data, "html.parser")
    assert [each["value"] for each in shown.select("input[name=step]")] == ["AddOrderTag"]
    assert shown.select_one("[name=step0-tag]")["value"] == "late"  # type: ignore[index]


def test_a_macro_runs_on_the_selected_orders_after_a_check(shop: Shop) -> None:
    team_macro(shop)
    client = client_in(shop.app, "operator")
    answer = select(client, "A-1", "A-2", macro="Hold and tag")
    assert answer.status_code == 303
    running(shop, answer.location.rpartition("/")[2])
    shown = text(client, answer.location)
    assert "Hold and tag: 2 items Ready to start" in shown
    assert "Hold order: reason other, note Check the address Add tag: tag odd" in shown
    press(client, answer.location, "Start 2 items")
    running(shop, answer.location.rpartition("/")[2])
    assert shop.events("A-2") == ["OrderPlaced", "OrderHeld", "OrderTagAdded"]


def test_a_macro_runs_on_one_order_from_its_page(shop: Shop) -> None:
    team_macro(shop)
    client = client_in(shop.app, "operator")
    form = page(client, "/orders/A-1").select_one("#order-macros form")
    assert form is not None
    assert [each.get_text(strip=True) for each in form.select("button")] == ["Hold and tag"]
    sent = {each["name"]: each["value"] for each in form.select("input")}
    answer = client.post(form["action"], data=sent | {"macro": "Hold and tag"})
    assert (answer.status_code, answer.location) == (303, "/orders/A-1")
    shown = page(client, "/orders/A-1")
    link = shown.select_one("a[href^='/batches/']")
    assert link is not None
    running(shop, str(link["href"]).rpartition("/")[2])
    assert shop.events("A-1") == ["OrderPlaced", "OrderHeld", "OrderTagAdded"]


def test_a_macro_that_is_pressed_twice_runs_once(shop: Shop) -> None:
    team_macro(shop, "AddOrderNote?note=Call")
    client = client_in(shop.app, "operator")
    form = page(client, "/orders/A-1").select_one("#order-macros form")
    assert form is not None
    sent = {each["name"]: each["value"] for each in form.select("input")}
    for _ in range(2):
        answer = client.post(form["action"], data=sent | {"macro": "Hold and tag"})
        assert (answer.status_code, answer.location) == (303, "/orders/A-1")
    links = {
        str(each["href"]) for each in page(client, "/orders/A-1").select("a[href^='/batches/']")
    }
    for link in links:
        running(shop, link.rpartition("/")[2])
    assert shop.events("A-1") == ["OrderPlaced", "OrderNoteAdded"]


def test_only_macros_whose_every_step_one_may_send_are_offered(shop: Shop) -> None:
    team_macro(shop, "AddOrderNote?note=Gone", "CancelOrder?reason=other")
    for role, count in (("operator", 0), ("supervisor", 1), ("viewer", 0)):
        client: FlaskClient = client_in(shop.app, role)
        assert len(page(client, "/orders/A-1").select("#order-macros button")) == count
        offered = page(client, "/orders").select("form#batch button[name=macro]")
        assert len(offered) == count


def test_a_macro_that_is_gone_creates_nothing(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    answer = select(client, "A-1", macro="Hold and tag")
    assert answer.status_code == 422
    assert "There is no macro named Hold and tag. Nothing was created." in answer.text


def test_a_batch_of_a_macro_by_command_line(shop: Shop, tmp_path: Path) -> None:
    team_macro(shop)
    run = shop.app.test_cli_runner().invoke
    made = run(args=["batch", "create", "--macro", "hold and tag", "--ids", "A-1", "--start"])
    assert made.exit_code == 0, made.output
    running(shop, made.output.strip())
    shown = run(args=["batch", "show", made.output.strip()])
    words = ["--outcome", "done", "--out", str(tmp_path / "done.csv")]
    assert run(args=["batch", "items", made.output.strip(), *words]).exit_code == 0
    assert "A-1" in (tmp_path / "done.csv").read_text()
    assert shown.output.startswith("Hold and tag: Finished, 1 of 1")
    assert run(args=["batch", "create", "--ids", "A-1"]).exit_code == 2
