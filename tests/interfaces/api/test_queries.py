from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.services import services_of
from tests.interfaces.api.conftest import Program, order
from tests.interfaces.web.pages.conftest import catch_up

REGISTRY = build_registry()
NO_ID = "00000000-0000-4000-8000-000000000000"


def test_an_answer_says_how_fresh_it_is(admin: Program, console: Flask) -> None:
    admin.do("PlaceOrder", **order())
    before = admin.get("/queries/ListOrders").json
    assert (before["value"]["rows"], before["position"], before["lag_events"]) == ([], 0, 1)
    catch_up(console)
    after = admin.get("/queries/ListOrders").json
    assert [row["order_id"] for row in after["value"]["rows"]] == ["A1"]
    assert after["value"]["rows"][0]["total"] == "15.30"
    assert (after["position"], after["lag_events"], after["stale"]) == (1, 0, False)
    assert after["as_of"].endswith("Z")


def test_one_can_wait_for_ones_own_write(admin: Program, console: Flask) -> None:
    receipt = admin.do("PlaceOrder", **order()).json
    seen = f"{receipt['stream']}:{receipt['version']}"
    early = admin.get("/queries/GetOrder", order_id="A1", min_version=seen, wait_ms=50)
    assert (early.status_code, "not shown so far" in early.json["detail"]) == (404, True)
    catch_up(console)
    admin.do("ApproveOrder", order_id="A1")
    old = admin.get("/queries/GetOrder", order_id="A1", min_version="order-A1:2", wait_ms=50).json
    assert (old["stale"], old["value"]["status"]) == (True, "placed")
    later = admin.get("/queries/GetOrder", order_id="A1", min_version=seen, wait_ms=5_000).json
    assert (later["stale"], later["value"]["order_id"]) == (False, "A1")


def test_of_the_changes_since_the_last_are_given(admin: Program) -> None:
    admin.do("PlaceOrder", **order())
    for note in ("Mind the dog.", "And the cat.", "Ring twice."):
        admin.do("AddOrderNote", order_id="A1", note=note)
    asked = {"stream": "order-A1", "version": "1"}
    found = admin.get("/queries/EventsSince", **asked).json["value"]
    assert [each["version"] for each in found] == [2, 3, 4]
    found = admin.get("/queries/EventsSince", **asked, limit="2").json["value"]
    assert [each["version"] for each in found] == [3, 4]
    refused = admin.get("/queries/EventsSince", **asked, limit="1001")
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "limit")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("GetOrder", {"order_id": "X"}),
        ("GetOrder", {"order_id": "X", "strong": "true"}),
        ("GetProduct", {"sku": "X"}),
        ("GetCustomerProfile", {"customer_id": "X"}),
        ("GetPayment", {"payment_id": "X"}),
        ("GetFulfilment", {"order_id": "X"}),
        ("GetWebhook", {"webhook_id": "x"}),
        ("GetCommand", {"command_id": "x"}),
        ("StateAt", {"stream": "order-X"}),
        ("OrderTimeline", {"order_id": "X"}),
        ("OrderTimeline", {"order_id": "X", "strong": "true"}),
        ("OrderActions", {"order_id": "X"}),
        ("OrderPayments", {"order_id": "X"}),
        ("StockOfOrder", {"order_id": "X"}),
        ("GetFulfilmentSteps", {"order_id": "X"}),
        ("CustomerHistory", {"customer_id": "X"}),
        ("CustomerActions", {"customer_id": "X"}),
        ("PaymentTimeline", {"payment_id": "X"}),
        ("GatewayRequests", {"payment_id": "X"}),
        ("ListMovements", {"sku": "X"}),
        ("GetDeliveries", {"webhook_id": "x"}),
        ("RawEvents", {"stream": "order-X"}),
        ("EventsSince", {"stream": "order-X", "version": "0"}),
    ],
)
def test_an_unknown_id_is_not_found(reader: Program, name: str, asked: dict[str, str]) -> None:
    answer = reader.get(f"/queries/{name}", **asked)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_every_question_about_one_thing_says_that_there_is_none(reader: Program) -> None:
    answered = set()
    for name, cls in REGISTRY.queries.items():
        unknown = {"stream": "order-X"} | dict.fromkeys(("statistics", "failure_id"), "0" * 12)
        ids = [each for each in fields_of(cls) if each.needed]
        if ids and all(each.kind is str and not each.many for each in ids):
            asked = {each.name: unknown.get(each.name, NO_ID) for each in ids}
            if reader.get(f"/queries/{name}", **asked).status_code != 404:
                answered.add(name)
    assert answered == set()


@pytest.mark.parametrize(
    "name", ["OrderTimeline", "OrderPayments", "StockOfOrder", "GetFulfilmentSteps"]
)
def test_nothing_yet_of_a_known_id_is_an_empty_list(admin: Program, name: str) -> None:
    admin.do("PlaceOrder", **order())
    answer = admin.get(f"/queries/{name}", order_id="A1")
    assert answer.status_code == 200
    assert answer.json["value"] in ([], {"payments": [], "totals": []})


def test_files_of_an_operator_whose_exports_made_none_are_an_empty_list(
    admin: Program, console: Flask
) -> None:
    services_of(console).accounts.create("mia", "supervisor", "nine grey geese on a lake")
    answer = admin.get("/queries/ListExportFiles", operator="mia")
    assert (answer.status_code, answer.json["value"]) == (200, [])


def test_a_question_without_an_id_is_answered_with_nothing(reader: Program) -> None:
    answer = reader.get("/queries/LastSalesDay")
    assert (answer.status_code, answer.json["value"]) == (200, None)


def test_rows_of_the_logs_hold_objects_and_no_json_in_json(admin: Program, kernel: Kernel) -> None:
    receipt = admin.do("PlaceOrder", **order()).json
    kernel.store.place()
    [event] = admin.get("/queries/RawEvents", stream="order-A1").json["value"]
    assert (event["payload"]["order_id"], len(event["hash"])) == ("A1", 64)
    view = admin.get("/queries/GetCommand", command_id=receipt["command_id"]).json["value"]
    assert view["entry"]["payload"]["order_id"] == "A1"
    assert view["entry"]["events"] == [{"type": "OrderPlaced", "version": 1}]
    assert view["events"] == [event]
    [row] = admin.get("/queries/ListCommands").json["value"]["rows"]
    assert row == view["entry"]


def test_a_time_without_a_zone_is_refused(admin: Program) -> None:
    admin.do("PlaceOrder", **order())
    for name in ("since", "until"):
        refused = admin.get("/queries/ListCommands", **{name: "2026-03-31T12:00:00"})
        assert refused.status_code == 422
        assert [each["field"] for each in refused.json["errors"]] == [name]
    found = admin.get("/queries/ListCommands", since="2026-03-31T12:00:00+02:00")
    assert len(found.json["value"]["rows"]) == 1


def test_a_strong_answer_comes_from_the_events(admin: Program) -> None:
    admin.do("PlaceOrder", **order())
    answer = admin.get("/queries/GetOrder", order_id="A1", strong="true")
    assert answer.json["value"]["order_id"] == "A1"
    refused = admin.get("/queries/ListOrders", strong="true")
    assert (refused.status_code, refused.json["code"]) == (422, "no_strong_answer")


def test_polling_for_the_same_answer_costs_no_body(admin: Program, console: Flask) -> None:
    admin.do("PlaceOrder", **order())
    catch_up(console)
    first = admin.get("/queries/GetOrder", order_id="A1")
    tag = {"If-None-Match": first.headers["ETag"]}
    same = admin.get("/queries/GetOrder", tag, order_id="A1")
    assert (same.status_code, same.data) == (304, b"")
    admin.do("ApproveOrder", order_id="A1")
    catch_up(console)
    assert admin.get("/queries/GetOrder", tag, order_id="A1").status_code == 200


def test_filters_are_parameters(admin: Program, console: Flask) -> None:
    for number in ("A1", "A2", "A3"):
        admin.do("PlaceOrder", **order(number))
    admin.do("ApproveOrder", order_id="A2")
    admin.do("HoldOrder", order_id="A3", reason="other")
    catch_up(console)

    def listed(**query: Any) -> list[str]:
        rows = admin.get("/queries/ListOrders", **query).json["value"]["rows"]
        return sorted(row["order_id"] for row in rows)

    assert listed(status=["approved", "on_hold"]) == ["A2", "A3"]
    assert listed(min_total="15.31") == []
    assert listed(limit="2", sort="order_id", descending="false") == ["A1", "A2"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "many"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"colour": "red"}, "colour"),
        ({"limit": ["1", "2"]}, "limit"),
        ({"status": "lost"}, "status.0"),
        ({"placed_from": "yesterday"}, "placed_from"),
        ({"placed_from": "0001-01-01"}, "placed_from"),
        ({"q": "a\x00b"}, "q"),
        ({"min_version": "order-1"}, "min_version"),
        ({"min_version": "a\x00:1"}, "min_version"),
        ({"min_version": "order-1:" + "0" * 5_000}, "min_version"),
        ({"wait_ms": "0" * 20 + "13000"}, "wait_ms"),
        ({"wait_ms": "10001"}, "wait_ms"),
        ({"wait_ms": "-1"}, "wait_ms"),
        ({"strong": "perhaps"}, "strong"),
    ],
)
def test_unusable_parameters_are_named(reader: Program, query: Any, field: str) -> None:
    answer = reader.get("/queries/ListOrders", **query)
    assert answer.status_code == 422
    assert field in [each["field"] for each in answer.json["errors"]]


def test_the_feed_is_followed_to_its_end(admin: Program, kernel: Kernel) -> None:
    for number in range(5):
        admin.do("PlaceOrder", **order(str(number)))
    admin.do("ApproveOrder", order_id="2")
    kernel.store.place()
    first = admin.get("/events", limit=4).json
    assert [each["position"] for each in first["events"]] == [1, 2, 3, 4]
    assert first["events"][0]["data"]["total"] == "15.30"
    rest = admin.get("/events", after=first["next"]).json
    assert [each["type"] for each in rest["events"]] == ["OrderPlaced", "OrderApproved"]
    assert (rest["next"], rest["head"]) == (6, 6)
    only = admin.get("/events", types="OrderApproved,OrderHeld").json
    assert [each["stream"] for each in only["events"]] == ["order-2"]
    end = admin.get("/events", after=6)
    assert (end.json["events"], end.json["next"]) == ([], 6)
    tag = {"If-None-Match": end.headers["ETag"]}
    assert admin.get("/events", tag, after=6).status_code == 304


def test_a_rare_type_does_not_make_a_long_answer(
    admin: Program, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.platform.runtime.feed.LOOKED_AT", 3)
    for number in range(5):
        admin.do("PlaceOrder", **order(str(number)))
    kernel.store.place()
    first = admin.get("/events", types="OrderHeld").json
    assert (first["events"], first["next"], first["head"]) == ([], 3, 5)
    assert admin.get("/events", types="OrderHeld", after=3).json["next"] == 5


def test_an_event_of_a_newer_release_stops_the_feed_and_is_named(
    admin: Program, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.do("PlaceOrder", **order())
    kernel.store.place()
    monkeypatch.delitem(kernel.registry.codec._types, "OrderPlaced")
    answer = admin.get("/events")
    assert (answer.status_code, answer.json["code"]) == (503, "unknown_event")
    assert "position 1" in answer.json["detail"]
    assert "OrderPlaced" in answer.json["detail"]


def test_an_answer_outside_of_its_bounds_is_refused_with_what_there_is(
    admin: Program, console: Flask
) -> None:
    admin.do("PlaceOrder", **order())
    catch_up(console)
    admin.do("ApproveOrder", order_id="A1")
    found = admin.get("/queries/GetOrder", order_id="A1", min_position="1", max_staleness="3600")
    assert (found.status_code, found.json["position"]) == (200, 1)
    late = admin.get("/queries/GetOrder", order_id="A1", min_position="2", wait_ms="50")
    assert (late.status_code, late.json["code"], late.json["position"]) == (503, "too_stale", 1)
    assert late.headers["Retry-After"]
    late = admin.get("/queries/GetOrder", order_id="A1", max_staleness="0")
    assert (late.status_code, late.json["code"]) == (503, "too_stale")
    assert late.json["lag_seconds"] >= 0
    beyond = admin.get("/queries/GetOrder", order_id="A1", min_position="99")
    assert (beyond.status_code, beyond.json["code"]) == (400, "beyond_head")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_position", "0"),
        ("min_position", "-1"),
        ("min_position", str(2**63)),
        ("max_staleness", "-1"),
        ("max_staleness", "nan"),
        ("max_staleness", "1e3"),
        ("max_staleness", "86401"),
    ],
)
def test_a_bound_that_cannot_be_used_is_named(reader: Program, name: str, value: str) -> None:
    answer = reader.get("/queries/ListOrders", **{name: value})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, name)
