"""`flask top`: once, through a pipe, and on a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import termios
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from flask import Flask

from cqrs_app.interfaces.cli.screen import ENTER, HOME, LEAVE
from cqrs_app.interfaces.cli.top_rows import MOST_ALERTS, MOST_PROBLEMS, Row, rows
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.measurements.recorder import Recorder
from cqrs_app.platform.alerts.queries import AlertRow
from cqrs_app.platform.runtime.overview import Overview, overview
from cqrs_app.platform.runtime.problems import Problem
from cqrs_app.platform.runtime.statistics.catalogue import STATISTICS
from tests.console import environment_of
from tests.interfaces.cli.conftest import Run
from tests.messages import COMMANDS
from tests.processes.running import FLASK, start

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UP = {"write_store": True, "read_store": True, "redis": True}
NOTHING = Overview(NOW, ("1.2",), UP, (), {}, (), (), ())


def problem(number: int) -> Problem:
    return Problem(
        kind="behind",
        title=f"number {number}",
        level="bad",
        cost="Orders: 3 events missing.",
        since=NOW - timedelta(hours=1),
        remedy="",
    )


def texts(found: Overview) -> list[str]:
    return [row.text for row in rows(found)]


def test_it_begins_with_what_is_wrong() -> None:
    down = Overview(NOW, (), UP | {"redis": False}, (problem(1),), {}, (), (), ())
    first, second, *_ = texts(down)
    assert "write store up, read store up, redis DOWN" in first
    assert second == "number 1 since 2026-03-01 11:00. Orders: 3 events missing."
    assert texts(NOTHING)[1] == "No problems"


def test_many_problems_leave_room_for_the_rest() -> None:
    many = Overview(NOW, (), UP, tuple(map(problem, range(MOST_PROBLEMS + 2))), {}, (), (), ())
    assert "2 more problems: flask doctor" in texts(many)
    assert f"number {MOST_PROBLEMS}" not in "".join(texts(many))


def test_alerts_that_are_on_come_after_the_problems() -> None:
    row = AlertRow(
        alert_id="disk", rule="disk", subject="", severity="critical", owner="",
        title="The disk is 91% full", cost="", remedy="", state="acknowledged", since=NOW,
        raised_at=NOW, acknowledged_at=NOW, acknowledged_by="ana", resolved_at=None,
        silenced_until=None, times=1, applied_version=1, value=91.0,
    )  # fmt: skip
    found = [each.text for each in rows(NOTHING, [row] * (MOST_ALERTS + 2))]
    shown = "CRITICAL The disk is 91% full since 2026-03-01 12:00, acknowledged by ana"
    assert found[1 : MOST_ALERTS + 2] == ["No problems", *[shown] * MOST_ALERTS]
    assert found[MOST_ALERTS + 2] == "2 more alerts: flask query ListAlerts"


def test_a_row_is_cut_at_the_edge_of_the_screen() -> None:
    assert Row("subscription").styled(6) == "subsc…"
    assert Row("subscription").styled(12) == "subscription"


@pytest.fixture
def busy(console: Flask, kernel: Kernel) -> Kernel:
    """A console that has done something half a minute ago, with one subscription behind."""
    moment = datetime.now(UTC) - timedelta(seconds=40)
    recorder = Recorder(kernel.engines.write, lambda: moment)
    for ms in (10.0, 10.0, 40.0):
        recorder.record("commands", ("PlaceOrder", "succeeded"), ms)
    recorder.record("requests", ("order", "2xx"), 9.0)
    recorder.record("release", ("1.2",), 1.0)
    recorder.flush()
    recorder.close()
    kernel.presence.beat("worker")
    return kernel


def place(flask: Run) -> None:
    fields = msgspec.json.encode(COMMANDS["PlaceOrder"]).decode()
    assert flask("command", "PlaceOrder", "--fields", "-", typed=fields).exit_code == 0


def test_it_shows_rates_processes_and_what_takes_longest(busy: Kernel, flask: Run) -> None:
    result = flask("top", "--once")
    assert result.exit_code == 0
    lines = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line.strip()}
    assert lines["Actions"] == ["Actions", "3.0/min", "failed", "0.0/min", "p95", "38.5", "ms"]
    assert lines["Processes"] == ["Processes", "worker", "1"]
    assert lines["action"] == ["action", "PlaceOrder", "3", "20.0", "38.5", "60"]
    assert lines["page"][:3] == ["page", "order", "1"]
    assert lines["orders"] == ["orders", "running", "0", "0", "0.0", "0"]


def test_subscriptions_that_are_behind_come_first(busy: Kernel, flask: Run) -> None:
    place(flask)
    for name in busy.registry.subscriptions:
        if name != "ledger":
            busy.runner.advance(name)
    found = overview(busy)
    first, second = found.subscriptions[:2]
    assert (first.name, first.lag_events) == ("ledger", busy.store.head())
    assert 0 < first.lag_seconds < 60
    assert second.lag_events < first.lag_events


def test_for_programs_it_is_one_object(busy: Kernel, flask: Run) -> None:
    found = msgspec.json.decode(flask("top", "--once", "--json").stdout)
    assert found["statistics"]["commands"] == 3
    assert found["statistics"].keys() == STATISTICS.keys()
    assert found["slowest"][0] | {"mean": 0, "p95": 0} == {
        "kind": "action",
        "name": "PlaceOrder",
        "count": 3,
        "mean": 0,
        "p95": 0,
        "total": 60,
    }
    assert (found["parts"], found["alerts"]) == (UP, [])
    assert {each["name"] for each in found["subscriptions"]} == busy.registry.subscriptions.keys()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_through_a_pipe_one_look_follows_the_other_until_nobody_reads(console: Flask) -> None:
    process = start(
        *(*FLASK, "top", "--json", "--interval", "0.5"),
        environment=environment_of(console),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        looks = [msgspec.json.decode(process.stdout.readline()) for _ in range(2)]
        assert looks[0]["at"] < looks[1]["at"]
        process.stdout.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("end", "status"), [("q", 0), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_on_a_terminal_it_is_drawn_again_until_it_is_left(
    console: Flask, end: str | int, status: int
) -> None:
    ours, its = pty.openpty()
    before = termios.tcgetattr(its)
    process = start(
        *(*FLASK, "top", "--interval", "0.5"),
        environment=environment_of(console, TERM="xterm", COLUMNS="90", LINES="24"),
        stdin=its,
        stdout=its,
    )
    try:
        shown = read_until(ours, lambda text: text.count(HOME) >= 2)
        assert shown.startswith(ENTER)
        assert shown.rpartition(HOME)[0].count("\n") == 23
        if isinstance(end, str):
            os.write(ours, end.encode())
        else:
            process.send_signal(end)
        assert read_until(ours, lambda text: LEAVE in text).endswith(LEAVE)
        assert process.wait(timeout=30) == status
        assert termios.tcgetattr(its) == before
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(its)


def read_until(terminal: int, is_enough: Callable[[str], bool]) -> str:
    text = ""
    while not is_enough(text):
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, text
        text += os.read(terminal, 65_536).decode()
    return text
