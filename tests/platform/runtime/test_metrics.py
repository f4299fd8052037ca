"""Metrics for Prometheus: every series from the start, and what remains while a store is down."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.subscriptions.presence import Presence
from cqrs_app.platform.runtime.sampled_metrics import GAUGES
from cqrs_app.platform.runtime.sampling import sample
from cqrs_app.platform.runtime.statistics.catalogue import METRICS
from cqrs_app.platform.webhooks import metrics as of_webhooks
from cqrs_app.services import services_of
from tests.messages import COMMANDS
from tests.services.obtainable import unobtainable
from tests.services.postgres import PostgresServer

ANA = Actor("ana", frozenset(map(str, build_registry().permissions())))


def scraped(app: Flask) -> str:
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def samples(text: str, name: str) -> dict[str, float]:
    """Labels -> value, of one metric."""
    found = re.findall(rf"^{name}\{{(.*)\}} (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def counted(text: str, bus: str, name: str) -> dict[str, float]:
    """Outcome -> count, of those that were counted."""
    found = samples(text, f"countersign_{bus}_total")
    split = {tuple(re.findall(r'"(\w+)"', labels)): value for labels, value in found.items()}
    return {each: value for (of, each), value in split.items() if of == name and value}


@pytest.fixture
def without(postgres_server: PostgresServer) -> Iterator[Callable[[str], None]]:
    """`without(address)`: that database ends every session and admits none."""
    shut = []

    def shut_out(address: str) -> None:
        shut.append(address)
        postgres_server.admit(address, sessions=False)
        postgres_server.disconnect(address)

    yield shut_out
    for address in shut:
        postgres_server.admit(address, sessions=True)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("store", "left_out"),
    [
        (
            "write_store",
            {
                "processes",
                "subscriptions",
                "projections",
                "commands",
                "queries",
                "webhooks",
                "failures",
                "alerts",
                "approvals",
                "requests",
                "jobs",
                "updates",
                "samples",
            },
        ),
        ("read_store", {"projections", "reconciliation"}),
    ],
)
def test_a_store_that_is_away_costs_only_its_own_metrics(
    console: Flask, without: Callable[[str], None], store: str, left_out: set[str]
) -> None:
    whole = samples(scraped(console), "countersign_family_failed")
    assert set(whole.values()) == {0}
    settings = services_of(console).settings
    away = settings.database_url if store == "write_store" else settings.read_database_url
    without(away)
    text = scraped(console)
    up = samples(text, "countersign_up")
    assert {part: value for part, value in up.items() if value == 0} == {f'part="{store}"': 0}
    failed = samples(text, "countersign_family_failed")
    assert {each for each, value in failed.items() if value} == {f'family="{f}"' for f in left_out}
    assert ("countersign_commands_total" in text) == ("commands" not in left_out)
    assert ("countersign_processes{" in text) == ("processes" not in left_out)
    lag = samples(text, "countersign_projection_lag_events")
    assert ('projection="fulfilment_process"' in lag) == ("subscriptions" not in left_out)
    assert ('projection="orders"' in lag) == ("projections" not in left_out)


def test_a_family_that_fails_costs_nothing_else(
    console: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(of_webhooks, "list_deliveries", fails)
    text = scraped(console)
    assert samples(text, "countersign_family_failed")['family="webhooks"'] == 1
    assert sum(samples(text, "countersign_family_failed").values()) == 1
    assert "the metrics of webhooks cannot be collected" in caplog.text


def test_series_of_known_names_begin_at_zero(console: Flask) -> None:
    registry = services_of(console).kernel.registry
    text = scraped(console)
    commands = samples(text, "countersign_commands_total")
    queries = samples(text, "countersign_queries_total")
    for outcome in ("succeeded", "refused", "failed", "repeated"):
        for name in registry.commands:
            assert commands[f'name="{name}",outcome="{outcome}"'] == 0
    for name in registry.queries:
        assert queries[f'name="{name}",outcome="failed"'] == 0
    assert queries['name="ListOrders",outcome="stale_hit"'] == 0


def test_every_kind_of_process_is_counted(console: Flask) -> None:
    kernel: Kernel = services_of(console).kernel
    kinds = {*kernel.registry.workers(), "sweep"}
    assert {"worker", "sweep", "webhook worker", "payment worker"} <= kinds
    counts = samples(scraped(console), "countersign_processes")
    assert counts == {f'kind="{kind}"': 0 for kind in kinds}
    for kind in kinds:
        Presence(kernel.engines.write, kernel.clock).beat(kind)
    counts = samples(scraped(console), "countersign_processes")
    assert counts == {f'kind="{kind}"': 1 for kind in kinds}


def test_requests_are_counted_by_route_and_status(console: Flask, kernel: Kernel) -> None:
    for _ in range(3):
        console.test_client().get("/healthz")
    console.test_client().get("/nothing-here")
    kernel.statistics.flush()
    text = scraped(console)
    requests = samples(text, "countersign_requests_total")
    assert requests['route="healthz",status="2xx"'] == 3
    assert requests['route="(none)",status="4xx"'] == 1
    # A first failure is an increase.
    assert requests['route="healthz",status="5xx"'] == 0
    times = samples(text, "countersign_request_duration_seconds_bucket")
    assert times['le="+Inf",route="healthz"'] == 3
    assert 0 < samples(text, "countersign_request_duration_seconds_sum")['route="healthz"'] < 3


def test_how_long_events_take_to_be_visible_is_counted(console: Flask, kernel: Kernel) -> None:
    context = Context(actor=ANA, channel="test", command_id="one")
    place = parse(kernel.registry.command("PlaceOrder"), COMMANDS["PlaceOrder"])
    kernel.commands.execute(place, context)
    kernel.runner.advance("orders")
    kernel.statistics.flush()
    text = scraped(console)
    assert samples(text, "countersign_visible_seconds_count")['projection="orders"'] == 1
    assert samples(text, "countersign_apply_duration_seconds_count")['projection="orders"'] >= 1
    head = re.search(r"^countersign_events_total (\S+)$", text, re.MULTILINE)
    assert head
    assert float(head[1]) == kernel.store.head() > 0


def test_every_measured_metric_is_exported(console: Flask) -> None:
    """What the statistics over time are made of, as far as it is no text of any length."""
    exported = {
        "commands": "commands",
        "queries": "queries",
        "age_served": "age_served_seconds",
        "requests": "requests",
        "visible": "visible_seconds",
        "applied": "apply_duration_seconds",
        "lag_events": "projection_lag_events",
        "lag_seconds": "projection_lag_seconds",
        "parked": "projection_parked_events",
        "stopped": "projection_running",
        "log_position": "events",
        "jobs": "performed_jobs",
        "job_wait": "job_wait_seconds",
        "processes": "processes",
        "down": "up",
        **{metric: name for metric, (name, *_) in GAUGES.items()},
    }
    assert METRICS.keys() - exported.keys() == {"errors", "slow_statements"}
    text = scraped(console)
    families = set(re.findall(r"^# TYPE countersign_(\w+?)(?:_total)? ", text, re.MULTILINE))
    assert set(exported.values()) <= families


def test_what_was_sampled_in_the_last_minute_is_exported(console: Flask, kernel: Kernel) -> None:
    kernel.presence.beat("sweep")
    sample(kernel)
    kernel.recorder.flush()
    text = scraped(console)
    sizes = samples(text, "countersign_database_size_bytes")
    assert sizes.keys() == {'store="read"', 'store="write"'}
    assert min(sizes.values()) > 10_000
    assert max(samples(text, "countersign_memory_bytes").values()) > 10_000_000
    assert len(samples(text, "countersign_release_info")) == 1
    assert samples(text, "countersign_problems")['kind="no_worker"'] == 1


def test_a_queued_command_is_counted_once(console: Flask, kernel: Kernel) -> None:
    bus: CommandBus = kernel.commands

    def queue(name: str, command_id: str) -> None:
        context = Context(actor=ANA, channel="test", command_id=command_id)
        bus.enqueue(parse(kernel.registry.command(name), COMMANDS[name]), context)

    def count(name: str) -> dict[str, float]:
        kernel.statistics.flush()
        return counted(scraped(console), "commands", name)

    queue("PlaceOrder", "one")
    assert count("PlaceOrder") == {}
    bus.run_queued("one")
    assert count("PlaceOrder") == {"succeeded": 1}
    queue("PlaceOrder", "one")
    assert count("PlaceOrder") == {"succeeded": 1, "repeated": 1}
    queue("PlaceOrder", "two")
    with pytest.raises(Refused):
        bus.run_queued("two")
    assert count("PlaceOrder") == {"succeeded": 1, "repeated": 1, "refused": 1}


def test_promtool_finds_nothing_wrong(console: Flask) -> None:
    program = shutil.which("promtool")
    if program is None:
        unobtainable("promtool", "apt-get install prometheus")
    services_of(console).kernel.presence.beat("worker")
    found = subprocess.run(
        [program, "check", "metrics"],
        input=scraped(console),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
