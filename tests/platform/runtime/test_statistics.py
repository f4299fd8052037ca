"""Statistics of the console: how each is read, over time and now, and from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from flask import Flask
from sqlalchemy import select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.measurements.distribution import Distribution
from cqrs_app.kernel.measurements.recorder import Recorder, Sample
from cqrs_app.kernel.measurements.rollup import RollUp
from cqrs_app.kernel.measurements.rows import KEPT, Series
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store.tables import measurements
from cqrs_app.platform.runtime.commands import SEE_SYSTEM
from cqrs_app.platform.runtime.statistics.catalogue import METRICS, STATISTICS
from cqrs_app.platform.runtime.statistics.history import since
from cqrs_app.platform.runtime.statistics.queries import (
    SPANS,
    History,
    ListErrors,
    ListStatistics,
    Slowest,
    StatisticHistory,
    StoredNow,
)
from cqrs_app.platform.runtime.statistics.values import increase, value
from cqrs_app.processes.sweep import Sweep
from cqrs_app.services import services_of

ENGINEER = QueryContext(actor=Actor("engineer", frozenset({str(SEE_SYSTEM)})))
MINUTE = timedelta(minutes=1)


def of(*values: float) -> Distribution:
    made = Distribution()
    for each in values:
        made.add(each)
    return made


COMMANDS: Series = {
    ("PlaceOrder", "succeeded"): of(10, 10, 10),
    ("PlaceOrder", "failed"): of(40),
    ("HoldOrder", "refused"): of(2, 2),
}
QUERIES: Series = {
    ("ListOrders", "hit"): of(1, 1, 1),
    ("ListOrders", "stale_hit"): of(1),
    ("ListOrders", "miss"): of(9, 9, 9, 9),
    ("GetOrder", "uncached"): of(5),
}


@pytest.mark.parametrize(
    ("name", "series", "expected"),
    [
        ("commands", COMMANDS, 12),
        ("commands_failed", COMMANDS, 2),
        ("commands_refused", COMMANDS, 4),
        ("command_failure_share", COMMANDS, 1 / 6),
        ("command_mean", COMMANDS, 74 / 6),
        ("command_time", COMMANDS, 148),
        ("command_p99", COMMANDS, 40),
        ("cache_hits", QUERIES, 0.5),
        ("stale_hits", QUERIES, 1 / 8),
        ("lag_seconds", {("orders",): of(1, 7), ("ledger",): of(3)}, 7),
        ("database_size", {("write",): of(100, 300)}, 200),
    ],
)
def test_each_statistic_is_read_from_the_values_of_a_step(
    name: str, series: Series, expected: float
) -> None:
    assert value(STATISTICS[name], series, 30) == pytest.approx(expected, rel=0.06)


def test_workers_are_busy_for_a_share_of_the_time_of_those_alive() -> None:
    jobs: Series = {("worker", "advance", "finished"): of(*[500] * 30)}
    alive: Series = {("worker",): of(2, 2), ("sweep",): of(1)}
    assert value(STATISTICS["worker_busy"], jobs, 60, alive) == pytest.approx(15 / 120)
    assert value(STATISTICS["worker_busy"], jobs, 60, {}) is None


def test_nothing_measured_is_no_value_and_no_zero() -> None:
    for name in ("command_p95", "cache_hits", "lag_seconds", "memory", "age_served_p95"):
        assert value(STATISTICS[name], {}, 60) is None, name
    assert value(STATISTICS["commands"], {}, 60) == 0


def test_the_rate_of_a_counter_is_what_it_rose_by() -> None:
    before, after = {(): of(100, 130)}, {(): of(150, 190)}
    assert increase(before, after, 30) == 2
    assert increase(None, after, 30) is None


def test_every_statistic_is_split_and_chosen_by_labels_of_its_metric() -> None:
    for each in STATISTICS.values():
        named = {*each.where, *each.among} | ({each.by} if each.by else set())
        assert named <= set(METRICS[each.metric]), each.name


def test_the_statistics_of_a_group_stand_together() -> None:
    groups = [group for group, _ in groupby(each.group for each in STATISTICS.values())]
    assert len(groups) == len({*groups})


@pytest.fixture
def kernel(console: Flask) -> Kernel:
    return services_of(console).kernel


def record_at(kernel: Kernel, moment: datetime, *samples: Sample) -> None:
    """As a process would have done it then."""
    recorder = Recorder(kernel.engines.write, lambda: moment)
    recorder.record("release", ("1.0",), 1)
    for sample in samples:
        recorder.record(*sample)
    recorder.flush()
    recorder.close()


def history(kernel: Kernel, name: str, **fields: object) -> History:
    question = StatisticHistory(statistics=(name,), **fields)  # type: ignore[arg-type]
    (found,) = kernel.queries.ask(question, ENGINEER).value
    return found  # type: ignore[no-any-return]


def known(found: History, label: str = "") -> list[float]:
    values = next(line.values for line in found.lines if line.label == label)
    return [each for each in values if each is not None]


def test_history_has_a_line_for_the_whole_or_for_each_label(kernel: Kernel) -> None:
    now = datetime.now(UTC)
    for ago in (20, 10):
        record_at(
            kernel,
            now - ago * MINUTE,
            ("commands", ("PlaceOrder", "succeeded"), 10.0),
            ("commands", ("PlaceOrder", "failed"), 10.0),
            ("commands", ("HoldOrder", "succeeded"), 10.0),
        )
    RollUp(kernel.engines.write, lambda: now)()
    assert known(history(kernel, "commands")) == [3, 3]
    found = history(kernel, "commands", split=True)
    assert {line.label for line in found.lines} == {"PlaceOrder", "HoldOrder"}
    assert found.lines[0].label == "PlaceOrder"
    assert known(found, "PlaceOrder") == [2, 2]
    assert known(history(kernel, "commands", only="HoldOrder")) == [1, 1]
    assert sum(known(history(kernel, "commands_failed", last="day"))) == pytest.approx(0.2)
    assert len(found.steps) > 55


def test_where_nothing_ran_a_rate_is_unknown(kernel: Kernel) -> None:
    now = datetime.now(UTC)
    record_at(kernel, now - 30 * MINUTE)
    RollUp(kernel.engines.write, lambda: now)()
    values = history(kernel, "commands").lines[0].values
    assert values.count(0) == 1
    assert values.count(None) == len(values) - 1


def test_a_new_release_and_a_problem_are_marked(kernel: Kernel) -> None:
    now = datetime.now(UTC)
    record_at(kernel, now - 40 * MINUTE)
    for ago in (30, 29, 28):
        record_at(kernel, now - ago * MINUTE, ("problems", ("redis_down",), 1.0))
    record_at(kernel, now - 20 * MINUTE, ("release", ("1.1",), 1.0))
    RollUp(kernel.engines.write, lambda: now)()
    # The console of the test may have recorded its own release by now.
    marks = {mark.text: mark for mark in history(kernel, "commands").marks}
    assert marks["1.1"].kind == "release"
    problem = marks["redis_down"]
    assert problem.kind == "problem"
    assert problem.end
    assert problem.end - problem.start == 3 * MINUTE


def test_a_sample_above_zero_has_been_so_since_it_was_last_zero(kernel: Kernel) -> None:
    now = datetime.now(UTC)
    for ago, state in ((50, 1.0), (40, 0.0), (30, 1.0), (1, 1.0)):
        record_at(kernel, now - ago * MINUTE, ("down", ("redis",), state))
    with kernel.engines.write.connect() as connection:
        began = since(connection, "down", ("redis",), now)
        assert began
        assert timedelta(0) <= now - 30 * MINUTE - began < timedelta(seconds=10)
        assert since(connection, "down", ("read_store",), now) is None


def test_the_list_has_the_values_of_the_last_minute(kernel: Kernel) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=40)
    record_at(kernel, moment, ("commands", ("PlaceOrder", "failed"), 30.0), ("parked", ("a",), 4))
    found = {each.name: each for each in kernel.queries.ask(ListStatistics(), ENGINEER).value}
    assert set(found) == set(STATISTICS)
    assert found["commands_failed"].value == 1
    assert found["command_p95"].value == pytest.approx(30, rel=0.05)
    assert found["parked"].value == 4
    assert found["request_p95"].value is None


def test_rankings_have_what_most_time_was_spent_on_first(kernel: Kernel) -> None:
    now = datetime.now(UTC)
    record_at(
        kernel,
        now - 5 * MINUTE,
        ("requests", ("orders", "2xx"), 30.0),
        ("requests", ("orders", "5xx"), 30.0),
        ("requests", ("home", "2xx"), 50.0),
        ("slow_statements", ("read", "SELECT 1"), 80.0),
        ("errors", ("command", "HoldOrder", "refused", "not_possible"), 1),
        ("database_size", ("write",), 5_000.0),
    )
    RollUp(kernel.engines.write, lambda: now)()
    pages = kernel.queries.ask(Slowest(of="pages"), ENGINEER).value
    assert [(each.labels, each.count, each.total) for each in pages] == [
        (("orders",), 2, 60),
        (("home",), 1, 50),
    ]
    statements = kernel.queries.ask(Slowest(of="statements"), ENGINEER).value
    assert ("read", "SELECT 1") in {each.labels for each in statements}
    (error,) = kernel.queries.ask(ListErrors(), ENGINEER).value
    assert error.labels == ("command", "HoldOrder", "refused", "not_possible")
    record_at(kernel, now, ("database_size", ("write",), 7_000.0))
    (stored,) = kernel.queries.ask(StoredNow(), ENGINEER).value
    assert (stored.store, stored.size) == ("write", 7_000)


def test_an_unknown_statistic_gets_one_sentence() -> None:
    with pytest.raises(Invalid) as refused:
        StatisticHistory(statistics=("none_such",))
    assert refused.value.problems == {"statistics": "There is no statistic none_such."}


@pytest.mark.parametrize("span", SPANS)
def test_every_span_can_be_asked_for(kernel: Kernel, span: str) -> None:
    found = history(kernel, "commands", last=span)
    assert found.lines[0].values.count(None) == len(found.lines[0].values)


def test_the_command_line_prints_them_now_and_over_time(console: Flask, kernel: Kernel) -> None:
    now = datetime.now(UTC)
    record_at(kernel, now - MINUTE, ("commands", ("PlaceOrder", "succeeded"), 10.0))
    RollUp(kernel.engines.write, lambda: now)()
    run = console.test_cli_runner().invoke
    assert "Failed actions" in run(args=["statistics"]).output
    over_time = run(args=["statistics", "commands", "--last", "15 minutes"]).output
    assert "highest 6.0/min" in over_time
    (found,) = json.loads(run(args=["statistics", "commands", "--json"]).output)
    assert found["unit"] == "per minute"
    refused = run(args=["statistics", "none_such"])
    assert refused.exit_code == 2
    assert "There is no statistic none_such." in refused.stderr


def test_the_sweep_samples_adds_up_and_deletes(kernel: Kernel) -> None:
    record_at(kernel, datetime.now(UTC) - timedelta(hours=2), ("parked", ("a",), 4))
    Sweep(kernel).once()
    kernel.recorder.flush()
    Sweep(kernel).once()
    with kernel.engines.write.connect() as connection:
        rows = connection.execute(
            select(measurements.c.seconds, measurements.c.start).where(
                measurements.c.metric == "parked"
            )
        ).all()
    assert {row.seconds for row in rows} == set(KEPT)
    assert min(row.start for row in rows if row.seconds == 10) > datetime.now(UTC) - MINUTE
