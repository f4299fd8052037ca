"""docs/monitoring: alerts fire and end, and each expression finds metrics of a running console."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.subscriptions.presence import Presence
from cqrs_app.platform.runtime.sampling import sample
from cqrs_app.platform.runtime.statistics.queries import ListStatistics
from cqrs_app.platform.webhooks.commands import AddWebhook
from tests.messages import COMMANDS
from tests.processes.running import PROJECT
from tests.services.obtainable import unobtainable

MONITORING = PROJECT / "docs" / "monitoring"
ALERTS = MONITORING / "alerts.yml"
RUNBOOK = (PROJECT / "docs" / "operating.md").read_text(encoding="utf-8")
PANELS: list[dict[str, Any]] = [
    panel
    for panel in json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))["panels"]
    if panel["type"] != "row"
]
EXPRESSIONS = [
    (panel["title"], target["expr"].replace("$__rate_interval", "5m"))
    for panel in PANELS
    for target in panel["targets"]
]
NAMES = re.findall(r"- alert: (\w+)", ALERTS.read_text(encoding="utf-8"))
SELECTOR = re.compile(r"countersign_\w+(?:\{[^}]*\})?")
ANA = Actor("ana", frozenset(map(str, build_registry().permissions())))

TROUBLE, CALM = 75, 15
"""Minutes that each fault lasts, and that come after it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Series -> its values while the fault lasts, and afterwards; the alert, the labels of it, and
    the minutes until it fires."""

    alert: str
    fires_after: int
    labels: dict[str, str]
    series: dict[str, tuple[str, str]]


def steady(bad: float, good: float) -> tuple[str, str]:
    return f"{bad}+0x{TROUBLE - 1}", f"{good}+0x{CALM - 1}"


def rising(by: float) -> tuple[str, str]:
    """A counter that rises only during the fault."""
    return f"0+{by}x{TROUBLE - 1}", f"{by * TROUBLE}+0x{CALM - 1}"


def always_rising(by: float) -> tuple[str, str]:
    return f"0+{by}x{TROUBLE - 1}", f"{by * TROUBLE}+{by}x{CALM - 1}"


CRITICAL, WARNING = {"severity": "critical"}, {"severity": "warning"}
UP = "countersign_up"
SLOW = 'countersign_visible_seconds_bucket{projection="orders",le="%s"}'
WORKER = 'countersign_processes{kind="worker"}'
SWEEP = 'countersign_processes{kind="sweep"}'
REQUESTS = 'countersign_requests_total{route="order",status="%s"}'
QUERIES = 'countersign_queries_total{name="GetOrder",outcome="%s"}'
ORDERS = {"projection": "orders"}
FAULTS = (
    Fault("CountersignUnreachable", 2, CRITICAL, {'up{job="countersign"}': steady(0, 1)}),
    Fault(
        "CountersignWriteStoreDown",
        1,
        {**CRITICAL, "part": "write_store"},
        {UP + '{part="write_store"}': steady(0, 1)},
    ),
    Fault(
        "CountersignReadStoreDown",
        1,
        {**CRITICAL, "part": "read_store"},
        {UP + '{part="read_store"}': steady(0, 1)},
    ),
    Fault(
        "CountersignRedisDown",
        5,
        {**WARNING, "part": "redis"},
        {UP + '{part="redis"}': steady(0, 1)},
    ),
    Fault(
        "CountersignNoProcess",
        1,
        {**CRITICAL, "kind": "worker"},
        {WORKER: steady(0, 1), SWEEP: steady(0, 1)},
    ),
    Fault(
        "CountersignNoWorker",
        5,
        {**WARNING, "kind": "worker"},
        {WORKER: steady(0, 2), SWEEP: steady(1, 1)},
    ),
    Fault(
        "CountersignNoSweep",
        5,
        {**WARNING, "kind": "sweep"},
        {SWEEP: steady(0, 1), WORKER: steady(1, 1)},
    ),
    Fault(
        "CountersignLag",
        2,
        WARNING | ORDERS,
        {'countersign_projection_lag_seconds{projection="orders"}': steady(61, 60)},
    ),
    Fault(
        "CountersignStopped",
        15,
        WARNING | ORDERS,
        {'countersign_projection_running{projection="orders"}': steady(0, 1)},
    ),
    Fault(
        "CountersignParkedEvents",
        1,
        WARNING | ORDERS,
        {'countersign_projection_parked_events{projection="orders"}': steady(1, 0)},
    ),
    Fault(
        "CountersignSlowToShow",
        11,
        WARNING | ORDERS,
        {
            SLOW % "5": rising(1),
            SLOW % "30": rising(60),
            SLOW % "+Inf": rising(60),
            'countersign_visible_seconds_count{projection="orders"}': rising(60),
        },
    ),
    Fault(
        "CountersignFailedCommands",
        1,
        {**WARNING, "name": "ShipOrder"},
        {'countersign_commands_total{name="ShipOrder",outcome="failed"}': rising(1)},
    ),
    Fault(
        "CountersignFailedQueries",
        6,
        WARNING,
        {QUERIES % "failed": rising(6), QUERIES % "hit": always_rising(94)},
    ),
    Fault(
        "CountersignFailedRequests",
        6,
        CRITICAL,
        {
            REQUESTS % "5xx": rising(6),
            REQUESTS % "2xx": always_rising(94),
            'countersign_requests_total{route="healthz",status="2xx"}': always_rising(1000),
        },
    ),
    Fault(
        "CountersignOpenFailures",
        60,
        {**WARNING, "kind": "page"},
        {'countersign_open_failures{kind="page"}': steady(1, 0)},
    ),
    Fault(
        "CountersignQueueWaits",
        6,
        CRITICAL,
        {
            "countersign_commands_waiting": steady(3, 0),
            'countersign_commands_total{name="ShipOrder",outcome="succeeded"}': (
                f"7+0x{TROUBLE - 1}",
                f"7+1x{CALM - 1}",
            ),
        },
    ),
    Fault(
        "CountersignDrift",
        0,
        CRITICAL | ORDERS,
        {'countersign_reconciliation_drift{projection="orders"}': steady(1, 0)},
    ),
    Fault(
        "CountersignNotReconciled",
        60,
        WARNING | ORDERS,
        {
            'countersign_reconciliation_compared_timestamp_seconds{projection="orders"}': steady(
                -172_801, 0
            )
        },
    ),
    Fault(
        "CountersignWebhookFailing",
        0,
        {**WARNING, "webhook": "erp"},
        {'countersign_webhook_failing_seconds{webhook="erp"}': steady(3601, 0)},
    ),
    Fault(
        "CountersignWebhookPaused",
        60,
        {**WARNING, "webhook": "erp"},
        {'countersign_webhook_running{webhook="erp"}': steady(0, 1)},
    ),
    Fault(
        "CountersignSignaturesOverdue",
        15,
        {**WARNING, "state": "overdue"},
        {'countersign_approval_requests{state="overdue"}': steady(2, 0)},
    ),
    Fault(
        "CountersignAlert",
        0,
        {**CRITICAL, "rule": "disk"},
        {'countersign_alerts{rule="disk",severity="critical"}': steady(1, 0)},
    ),
    Fault(
        "CountersignMetricsMissing",
        5,
        {**WARNING, "family": "webhooks"},
        {
            'countersign_family_failed{family="webhooks"}': steady(1, 0),
            UP + '{part="write_store"}': steady(1, 1),
            UP + '{part="read_store"}': steady(1, 1),
        },
    ),
)


def promtool(folder: Path, tests: Iterable[dict[str, Any]]) -> None:
    """Run unit tests of the alerts, from a file of JSON, which is YAML too."""
    program = shutil.which("promtool")
    if program is None:
        unobtainable("promtool", "apt-get install prometheus")
    path = folder / "tests.json"
    made = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": list(tests)}
    path.write_text(json.dumps(made), encoding="utf-8")
    found = subprocess.run(
        [program, "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


def labelled(name: str, labels: dict[str, str]) -> str:
    inner = ",".join(f"{label}={json.dumps(text)}" for label, text in sorted(labels.items()))
    return f"{name}{{{inner}}}"


def of_a_fault(fault: Fault) -> dict[str, Any]:
    """It fires when it should, not earlier, and no more after the fault."""
    firing = {"alertname": fault.alert, "alertstate": "firing"}
    shown = {"labels": labelled("ALERTS", firing | fault.labels), "value": 1}
    at = {fault.fires_after: [shown], TROUBLE - 1: [shown], TROUBLE + CALM - 1: []}
    if fault.fires_after:
        at[fault.fires_after - 1] = []
    return {
        "interval": "1m",
        "name": fault.alert,
        "input_series": [
            {"series": name, "values": f"{bad} {good}"}
            for name, (bad, good) in fault.series.items()
        ],
        "promql_expr_test": [
            {"expr": labelled("ALERTS", firing), "eval_time": f"{minute}m", "exp_samples": samples}
            for minute, samples in sorted(at.items())
        ],
    }


@pytest.mark.slow
def test_each_alert_fires_in_its_fault_and_ends_after_it(tmp_path: Path) -> None:
    assert sorted(NAMES) == sorted(fault.alert for fault in FAULTS)
    promtool(tmp_path, map(of_a_fault, FAULTS))


def test_each_alert_names_its_section_of_the_runbook() -> None:
    titles = re.findall(r"^#+ (.*)$", RUNBOOK, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    named = re.findall(r"runbook: docs/operating\.md#(\S+)", ALERTS.read_text(encoding="utf-8"))
    assert len(named) == len(NAMES)
    assert set(named) <= anchors


@pytest.fixture
def metrics(console: Flask, kernel: Kernel) -> list[Metric]:
    """Those of a console in which something of everything has happened."""
    place = parse(kernel.registry.command("PlaceOrder"), COMMANDS["PlaceOrder"])
    for command in (place, AddWebhook(webhook_id="erp", url="https://erp.example.com/events")):
        kernel.commands.execute(command, Context(actor=ANA, channel="test"))
    for kind in ("worker", "sweep"):
        Presence(kernel.engines.write, kernel.clock).beat(kind)
    kernel.runner.advance_all(kernel.registry.subscriptions)
    kernel.reconciler.compare("orders")
    kernel.reconciler.prove(["orders"])
    kernel.statistics.count("job", "advance", "finished", 3)
    kernel.statistics.count("job_wait", "worker", "started", 3)
    kernel.statistics.count("age_served", "ListOrders", "served", 3)
    kernel.queries.ask(ListStatistics(), QueryContext(actor=ANA))
    for page in ("/healthz", "/metrics"):
        console.test_client().get(page)
    sample(kernel)
    kernel.recorder.flush()
    kernel.statistics.flush()
    text = console.test_client().get("/metrics").get_data(as_text=True)
    return list(text_string_to_metric_families(text))


def series(metrics: Iterable[Metric]) -> Iterator[dict[str, str]]:
    """What Prometheus would have scraped for an hour: what was counted goes on, the rest stays."""
    for metric in metrics:
        counts = metric.type in ("counter", "histogram")
        for each in metric.samples:
            rise = int(counts and each.value > 0)
            values = f"{each.value}+{rise}x60"
            yield {"series": labelled(each.name, each.labels), "values": values}


def finds(expression: str) -> dict[str, Any]:
    return {
        "expr": f"(count({expression}) > bool 0) or on () vector(0)",
        "eval_time": "60m",
        "exp_samples": [{"labels": "{}", "value": 1}],
    }


def test_each_panel_and_alert_finds_metrics_of_a_console(
    metrics: list[Metric], tmp_path: Path
) -> None:
    selectors = set(SELECTOR.findall(re.sub(r"runbook:.*", "", ALERTS.read_text(encoding="utf-8"))))
    expressions = [*(expression for _, expression in EXPRESSIONS), *selectors]
    test = {"interval": "1m", "input_series": list(series(metrics))}
    promtool(tmp_path, [test | {"promql_expr_test": [finds(each) for each in expressions]}])


def test_every_metric_is_on_the_dashboard(metrics: list[Metric]) -> None:
    shown = " ".join(expression for _, expression in EXPRESSIONS)
    suffixes = "(_total|_bucket|_sum|_count)?"
    absent = [m.name for m in metrics if not re.search(rf"\b{m.name}{suffixes}\b", shown)]
    assert absent == []


def test_the_table_of_metrics_has_each_of_them_and_no_other(metrics: list[Metric]) -> None:
    table = RUNBOOK.partition("| metric | labels |")[2].partition("\n\n")[0]
    named = [re.findall(r"`(\w+)`", line.split(" | ")[0]) for line in table.splitlines()]
    # "countersign_webhook_lag_events, _running": the short ones begin as the first does.
    shown = {
        name if name.startswith("countersign") else "_".join(names[0].split("_")[:2]) + name
        for names in named
        for name in names
    }
    assert shown == {m.name + "_total" * (m.type == "counter") for m in metrics}


def test_no_alert_fires_for_a_console_without_a_fault(
    metrics: list[Metric], tmp_path: Path
) -> None:
    up = {"series": 'up{job="countersign"}', "values": "1+0x60"}
    none = {"expr": 'ALERTS{alertstate="firing"}', "eval_time": "60m", "exp_samples": []}
    promtool(
        tmp_path,
        [{"interval": "1m", "input_series": [*series(metrics), up], "promql_expr_test": [none]}],
    )


def test_no_two_panels_overlap() -> None:
    cells = [
        (x, y)
        for panel in PANELS
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert all(panel["title"] and panel["description"] for panel in PANELS)
