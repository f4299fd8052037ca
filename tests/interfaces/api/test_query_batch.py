"""Several questions in one request: side by side where the setting says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy.exc import OperationalError

from cqrs_app.kernel.queries.bus import QueryBus
from cqrs_app.services import services_of
from tests.interfaces.api.conftest import Program, order
from tests.interfaces.web.pages.conftest import catch_up, client_in

BOTH = pytest.mark.parametrize("bus_type", ["synchronous", "asynchronous"])


@pytest.fixture
def app(make_console: Callable[..., Flask], bus_type: str) -> Flask:
    return make_console(query_bus_type=bus_type)


def program_in(app: Flask, role: str) -> Program:
    secret = services_of(app).tokens.create(role, role, made_by="test")
    return Program(app.test_client(), secret)


def asked(program: Program, *queries: dict[str, Any]) -> list[dict[str, Any]]:
    answer = program.post("/queries", {"queries": list(queries)})
    assert answer.status_code == 200, answer.json
    results: list[dict[str, Any]] = answer.json["results"]
    return results


@BOTH
def test_each_question_has_its_own_answer_permission_and_error(app: Flask) -> None:
    operator = program_in(app, "operator")
    receipt = operator.do("PlaceOrder", **order()).json
    catch_up(app)
    found = asked(
        operator,
        {"query": "ListOrders", "fields": {"status": ["placed"], "limit": 5}},
        {"query": "GetOrder", "fields": {"order_id": "A1"}, "strong": True},
        {"query": "GetOrder", "fields": {"order_id": "X"}},
        {"query": "ProcessList"},
        {"query": "Nothing"},
        {"query": "ListOrders", "fields": {"limit": "many", "colour": 1}},
        {"query": "ListOrders", "min_version": "nonsense"},
        {"query": "ListOrders", "min_version": f"{receipt['stream']}:9"},
        {"query": "ListOrders", "strong": True},
    )
    statuses = [each["status"] for each in found]
    assert statuses == [200, 200, 404, 403, 404, 422, 422, 200, 422]
    codes = [each["problem"]["code"] for each in found if each["status"] != 200]
    assert codes == [
        "not_found",
        "not_allowed",
        "unknown",
        "invalid",
        "invalid",
        "no_strong_answer",
    ]
    alone = operator.get("/queries/ListOrders", status="placed", limit="5").json
    assert found[0]["answer"]["value"] == alone["value"]
    assert found[1]["answer"]["value"]["order_id"] == "A1"
    assert found[7]["answer"]["stale"]


@BOTH
def test_a_database_that_goes_away_costs_the_question_it_was_asked(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = QueryBus.ask

    def away(bus: QueryBus, question: Any, asker: Any) -> Any:
        if type(question).__name__ == "ListOrders":
            raise OperationalError("select", {}, Exception("gone"))
        return ask(bus, question, asker)

    monkeypatch.setattr(QueryBus, "ask", away)
    found = asked(program_in(app, "viewer"), {"query": "ListOrders"}, {"query": "OrdersByStage"})
    assert [each["status"] for each in found] == [503, 200]
    assert found[0]["problem"]["code"] == "unavailable"


@pytest.mark.parametrize(("bus_type", "expected"), [("synchronous", 1), ("asynchronous", 4)])
def test_as_many_are_answered_at_once_as_the_setting_says(
    app: Flask, monkeypatch: pytest.MonkeyPatch, expected: int
) -> None:
    counted, most = threading.Lock(), [0, 0]
    full, ask = threading.Barrier(expected), QueryBus.ask

    def count(bus: QueryBus, question: Any, asker: Any) -> Any:
        with counted:
            most[0] += 1
            most[1] = max(most)
        full.wait(60)
        with counted:
            most[0] -= 1
        return ask(bus, question, asker)

    monkeypatch.setattr(QueryBus, "ask", count)
    found = asked(program_in(app, "viewer"), *[{"query": "ListOrders"}] * 8)
    assert [each["status"] for each in found] == [200] * 8
    assert most[1] == expected


@BOTH
def test_a_batch_is_bounded_and_counts_as_its_questions(
    make_console: Callable[..., Flask], bus_type: str
) -> None:
    app = make_console(query_bus_type=bus_type, api_requests_per_minute=30)
    viewer = program_in(app, "viewer")
    too_many = viewer.post("/queries", {"queries": [{"query": "ListOrders"}] * 21})
    assert (too_many.status_code, too_many.json["code"]) == (413, "too_large")
    for body in ({"queries": []}, {"queries": [{}]}, {"queries": [{"query": 7}]}, [], {}):
        answer = viewer.post("/queries", body)
        assert (answer.status_code, answer.json["code"]) == (400, "malformed")
    assert len(asked(viewer, *[{"query": "ListOrders"}] * 15)) == 15
    late = viewer.post("/queries", {"queries": [{"query": "ListOrders"}] * 15})
    assert (late.status_code, late.json["code"]) == (429, "too_many_requests")


@pytest.mark.parametrize(("bus_type", "threads"), [("synchronous", 1), ("asynchronous", 4)])
@pytest.mark.parametrize("page", ["/", "/system"])
def test_home_and_system_ask_side_by_side_and_show_the_same(
    app: Flask, monkeypatch: pytest.MonkeyPatch, page: str, threads: int
) -> None:
    program_in(app, "operator").do("PlaceOrder", **order())
    catch_up(app)
    client, askers, ask = client_in(app, "admin"), set(), QueryBus.ask

    def note(bus: QueryBus, question: Any, asker: Any) -> Any:
        askers.add(threading.current_thread())
        time.sleep(0.02)
        return ask(bus, question, asker)

    monkeypatch.setattr(QueryBus, "ask", note)
    answer = client.get(page)
    assert answer.status_code == 200
    shown = BeautifulSoup(answer.text, "html.parser").find("main")
    assert shown is not None
    beside = {each for each in askers if each.name.startswith("side-by-side")}
    assert len(beside or askers) == threads
    assert "Needs approval" in shown.text if page == "/" else "Subscriptions" in shown.text


@BOTH
def test_system_shows_the_other_panels_where_a_question_is_not_answered(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = QueryBus.ask

    def away(bus: QueryBus, question: Any, asker: Any) -> Any:
        if type(question).__name__ == "CommandFigures":
            raise OperationalError("select", {}, Exception("gone"))
        return ask(bus, question, asker)

    monkeypatch.setattr(QueryBus, "ask", away)
    client = client_in(app, "admin")
    assert client.get("/system/commands").status_code == 200
    answer = client.get("/system")
    assert answer.status_code == 200
    assert "Subscriptions" in answer.get_data(as_text=True)
