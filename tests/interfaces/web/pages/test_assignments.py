"""Who is responsible for an order, on its page, in lists, in bulk and without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from cqrs_app.areas.assignments.commands import AssignOrder
from cqrs_app.areas.orders.commands import ApproveOrder, RejectOrder
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import PASSWORD, catch_up, client_in
from tests.interfaces.web.pages.test_without_scripts import page
from tests.platform.batches.conftest import MARIA, Shop


@pytest.fixture
def shop(make_console: Any) -> Shop:
    made = Shop(make_console())
    made.place("A-1", "A-2", "A-3")
    accounts = services_of(made.app).accounts
    accounts.create("ana", "operator", PASSWORD)
    accounts.set_team("ana", "returns")
    return made


def text(client: FlaskClient, url: str) -> str:
    return " ".join(page(client, url).get_text(" ").split())


def assign(client: FlaskClient, order_id: str, **fields: str) -> Any:
    """Fill in the form, as a browser without scripts does."""
    address = f"/commands/AssignOrder?order_id={order_id}"
    form = page(client, address).select_one("main form[method=post]")
    assert form is not None
    sent = {str(each["name"]): str(each.get("value", "")) for each in form.select("input[name]")}
    return client.post(address, data=sent | fields)


def offered(client: FlaskClient, order_id: str) -> set[str]:
    """The operators and teams that the form suggests."""
    options = page(client, f"/commands/AssignOrder?order_id={order_id}").select("option")
    return {str(each["value"]) for each in options}


def listed(client: FlaskClient, filters: str) -> list[str]:
    return [each.get_text() for each in page(client, f"/orders?{filters}").select("[data-row]")]


def test_an_order_is_assigned_shown_found_and_handed_over(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    assert assign(client, "A-1", operator="ana", note="She knows them.").status_code == 303
    catch_up(shop.app)
    shown = text(client, "/orders/A-1")
    assert "Assignee ana" in shown
    assert "Assigned" in shown
    assert "Note She knows them." in shown
    assert listed(client, "assignee=ana") == ["A-1"]
    assert listed(client, "unassigned=1") == ["A-3", "A-2"]
    assert assign(client, "A-1", team="returns").status_code == 303
    catch_up(shop.app)
    assert "Assignee Team returns" in text(client, "/orders/A-1")
    assert listed(client, "team=returns") == ["A-1"]
    assert listed(client, "assignee=ana") == []


def test_mine_are_those_of_whoever_looks(shop: Shop) -> None:
    mine, others = client_in(shop.app, "operator"), client_in(shop.app, "supervisor")
    shop.run(AssignOrder(order_id="A-2", operator="operator"))
    catch_up(shop.app)
    assert listed(mine, "assignee=@me") == ["A-2"]
    assert listed(others, "assignee=@me") == []
    assert "Assignee Me" in text(mine, "/orders?assignee=@me")


@pytest.mark.parametrize(
    ("order_id", "fields", "sentence"),
    [
        ("A-1", {"operator": "nobody"}, "There is no active operator nobody."),
        ("A-1", {"team": "nobody"}, "There is no team nobody with an active operator."),
        ("none", {"operator": "ana"}, "There is no order none."),
    ],
)
def test_an_unknown_name_is_refused_and_nothing_is_recorded(
    shop: Shop, order_id: str, fields: dict[str, str], sentence: str
) -> None:
    answer = assign(client_in(shop.app, "operator"), order_id, **fields)
    assert answer.status_code == 422
    shown = BeautifulSoup(answer.data, "html.parser").get_text(" ")
    assert sentence in shown
    assert shop.kernel.store.versions_of([f"assignment-{order_id}"]) == {}


def test_a_disabled_operator_gets_no_orders(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    assert offered(client, "A-1") == {"ana", "operator", "returns"}
    services_of(shop.app).accounts.disable("ana")
    assert offered(client, "A-1") == {"operator"}
    assert assign(client, "A-1", operator="ana").status_code == 422
    assert assign(client, "A-1", team="returns").status_code == 422


def test_assigning_an_order_conflicts_with_nothing_that_is_done_to_it(shop: Shop) -> None:
    seen = shop.kernel.store.versions_of(["order-A-1"])["order-A-1"]
    shop.run(AssignOrder(order_id="A-1", operator="ana"))
    assert shop.kernel.store.versions_of(["order-A-1"])["order-A-1"] == seen
    shop.run(ApproveOrder(order_id="A-1"), expected_version=seen)


def test_orders_are_assigned_in_bulk(shop: Shop) -> None:
    client = client_in(shop.app, "operator")
    boxes = [each["value"] for each in page(client, "/orders").select("[data-pick]")]
    token = page(client, "/orders").select_one("form#batch input[name=csrf_token]")
    assert token is not None
    offers = client.post(
        "/batches/offers",
        data={"csrf_token": token["value"], "what": "orders", "item": boxes[:2]},
    ).get_data(as_text=True)
    assert "Assign order" in offers
    assert "Unassign order" not in offers
    batch_id = shop.create(
        "AssignOrder", ["A-1", "A-2", "no-such"], fields={"operator": "ana"}, start=True
    )
    shop.work(batch_id)
    assert shop.outcomes(batch_id) == {"A-1": "done", "A-2": "done", "no-such": "refused"}
    assert listed(client, "assignee=ana") == ["A-2", "A-1"]
    filtered = shop.create("UnassignOrder", filters={"assignee": ["ana"]}, actor=MARIA, start=True)
    shop.work(filtered)
    assert listed(client, "unassigned=1") == ["A-3", "A-2", "A-1"]


def test_who_has_how_much_is_counted_by_stage(shop: Shop) -> None:
    client = client_in(shop.app, "viewer")
    assert "No orders are assigned" in text(client, "/workload")
    shop.run(AssignOrder(order_id="A-1", operator="ana"))
    shop.run(AssignOrder(order_id="A-2", operator="ana"))
    shop.run(AssignOrder(order_id="A-3", team="returns"))
    shop.place("A-4")
    shop.run(AssignOrder(order_id="A-4", operator="ana"))
    shop.run(RejectOrder(order_id="A-4", reason="We cannot deliver there."))
    catch_up(shop.app)
    rows = page(client, "/workload").select("tbody tr")
    cells = [[each.get_text(strip=True) for each in row.select("th, td")][:2] for row in rows]
    assert cells == [["ana", "2"], ["Teamreturns", "1"]]
    link = rows[0].select_one("th a")
    assert link is not None
    shown = page(client, str(link["href"])).select("[data-row]")
    assert {each.get_text() for each in shown} == {"A-1", "A-2"}


def test_a_viewer_sees_who_has_an_order_and_cannot_change_it(shop: Shop) -> None:
    shop.run(AssignOrder(order_id="A-1", operator="ana"))
    catch_up(shop.app)
    client = client_in(shop.app, "viewer")
    shown = page(client, "/orders/A-1")
    assert "ana" in shown.get_text()
    assert not shown.select("#do-AssignOrder, [data-claim]")
    assert client.get("/commands/AssignOrder?order_id=A-1").status_code == 403


def test_teams_are_set_on_the_command_line(shop: Shop) -> None:
    runner = shop.app.test_cli_runner()
    assert runner.invoke(args=["operators", "team", "ana", "Phones"]).output == (
        "ana is in team phones.\n"
    )
    assert "phones" in runner.invoke(args=["operators", "list"]).output
    assert runner.invoke(args=["operators", "team", "ana"]).output == "ana is in no team.\n"
    assert "cannot be" in runner.invoke(args=["operators", "team", "ana", "two words"]).output
