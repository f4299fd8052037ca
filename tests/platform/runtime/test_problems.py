"""What is wrong is found, with what it costs, since when, and what to press."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import insert, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements.reading import latest
from cqrs_app.kernel.store.tables import checkpoints, command_log
from cqrs_app.kernel.subscriptions.presence import SWEEP, Presence
from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.platform.runtime import health
from cqrs_app.platform.runtime.problems import Problem, problems
from cqrs_app.platform.runtime.sampling import sample
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in


@pytest.fixture
def kernel(console: Flask) -> Kernel:
    """With a worker and a sweep."""
    found: Kernel = services_of(console).kernel
    for kind in (WORKER, SWEEP):
        Presence(found.engines.write, found.clock).beat(kind)
    return found


def found_in(kernel: Kernel) -> dict[str, Problem]:
    return {each.kind: each for each in problems(kernel, health.look(kernel))}


def log_failure(kernel: Kernel, ago: timedelta) -> None:
    moment = datetime.now(UTC) - ago
    row = {
        "command_id": f"failed-{ago}",
        "type": "HoldOrder",
        "stream": "order-1",
        "payload": "{}",
        "operator": "ana",
        "channel": "form",
        "outcome": "failed",
        "attempts": 1,
        "correlation_id": "1",
        "received_at": moment,
        "finished_at": moment,
    }
    with kernel.engines.write.begin() as connection:
        connection.execute(insert(command_log).values(row))


def set_state(kernel: Kernel, state: str) -> None:
    with kernel.engines.read.begin() as connection:
        values = {"state": state, "error": "Its tables have shape 1."}
        mine = checkpoints.c.subscription == "orders"
        connection.execute(update(checkpoints).where(mine).values(values))


def test_a_console_that_works_has_no_problems(kernel: Kernel) -> None:
    assert found_in(kernel) == {}


def test_a_subscription_that_stopped_says_what_is_out_of_date_and_what_to_do(
    kernel: Kernel,
) -> None:
    set_state(kernel, "failed")
    problem = found_in(kernel)["stopped"]
    assert (problem.subject, problem.level) == ("orders", "bad")
    assert "missing." in problem.cost
    assert problem.cost[0].isupper()
    assert problem.remedy == "Its tables have shape 1."


def test_failed_actions_of_the_last_hour_are_a_problem_since_the_first(kernel: Kernel) -> None:
    log_failure(kernel, timedelta(hours=2))
    assert "failed_actions" not in found_in(kernel)
    for minutes in (30, 5):
        log_failure(kernel, timedelta(minutes=minutes))
    problem = found_in(kernel)["failed_actions"]
    assert problem.title == "2 actions failed in the last hour"
    assert problem.since
    assert datetime.now(UTC) - problem.since > timedelta(minutes=29)


def test_missing_processes_and_parts_are_problems(kernel: Kernel) -> None:
    state = health.look(kernel)
    for changed, kind in (
        ({"workers": 0}, "no_worker"),
        ({"sweeps": 0}, "no_sweep"),
        ({"workers": 0, "sweeps": 0}, "no_processes"),
        ({"redis": False}, "redis_down"),
        ({"read_store": False}, "read_store_down"),
        ({"failed_jobs": 2}, "crashed_jobs"),
    ):
        found = [each.kind for each in problems(kernel, replace(state, **changed))]
        assert found == [kind], changed
    assert [each.kind for each in problems(kernel, replace(state, write_store=False))] == [
        "write_store_down"
    ]


def test_problems_are_sampled_with_the_state_of_the_console(kernel: Kernel) -> None:
    set_state(kernel, "paused")
    sample(kernel)
    kernel.recorder.flush()
    with kernel.engines.write.connect() as connection:
        now = datetime.now(UTC) + timedelta(seconds=1)
        found = latest(connection, ("problems", "processes", "lag_seconds", "database_size"), now)
    assert set(found["problems"]) == {("paused",)}
    assert found["processes"]["worker",].largest == 1
    assert ("orders",) in found["lag_seconds"]
    assert {store for (store,) in found["database_size"]} == {"read", "write"}


def test_the_system_page_shows_problems_first_with_their_buttons(
    console: Flask, kernel: Kernel
) -> None:
    log_failure(kernel, timedelta(minutes=5))
    set_state(kernel, "paused")
    page = BeautifulSoup(client_in(console, "admin").get("/system").text, "html.parser")
    panel = page.select_one("main section")
    assert panel is not None
    assert panel["id"] == "system-problems"
    assert [each.get_text(strip=True) for each in panel.select("h3")] == [
        "1 action failed in the last hour",
        "Orders is paused",
    ]
    links = {each.get_text(" ", strip=True): str(each["href"]) for each in panel.select("a")}
    assert links["Resume : Orders is paused"].startswith("/commands/ResumeProjection?")
    log = links["See log entries : 1 action failed in the last hour"]
    assert "Hold order" in client_in(console, "admin").get(log).text
    supervisor = client_in(console, "supervisor").get("/system").text
    assert "/commands/ResumeProjection" not in supervisor
