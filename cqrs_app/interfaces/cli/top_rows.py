"""What `flask top` shows, as rows of text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click

from cqrs_app.interfaces.cli.statistics import value_text
from cqrs_app.platform.alerts.queries import AlertRow
from cqrs_app.platform.runtime.overview import Overview
from cqrs_app.platform.runtime.statistics.catalogue import STATISTICS

MOST_PROBLEMS = 6
MOST_ALERTS = 6
MOST_SLOW = 6
FIGURES = {
    "Actions": ("", "commands", "failed", "commands_failed", "p95", "command_p95"),
    "Queries": ("", "queries", "failed", "queries_failed", "p95", "query_p95"),
    "Cache": ("hits", "cache_hits", "stale", "stale_hits", "age p95", "age_served_p95"),
    "Requests": ("", "requests", "5xx", "requests_failed", "p95", "request_p95"),
    "Updates": ("events", "events", "visible p95", "visible_p95", "lag", "lag_seconds"),
    "Jobs": ("", "jobs", "wait p95", "job_wait_p95", "busy", "worker_busy"),
    "Queues": ("jobs", "jobs_waiting", "actions", "commands_waiting", "parked", "parked"),
    "Storage": ("database", "database_size", "memory", "memory"),
}
"""Title of a row -> labels and statistics by turns."""


class Row(NamedTuple):
    text: str
    colour: str | None = None
    bold: bool = False

    def styled(self, width: int | None = None) -> str:
        text = self.text.rstrip()
        if width is not None and len(text) > width:
            text = text[: width - 1] + "…"
        return (
            click.style(text, fg=self.colour, bold=self.bold) if self[1:] != (None, False) else text
        )


def rows(found: Overview, alerts: Sequence[AlertRow] = ()) -> list[Row]:
    """Subscriptions come last, since there may be more of them than a screen holds."""
    return [
        _head(found),
        *_problems(found),
        *_alerts(alerts),
        *_figures(found),
        _processes(found),
        *_slowest(found),
        *_subscriptions(found),
    ]


def _head(found: Overview) -> Row:
    parts = [
        f"{name.replace('_', ' ')} {'up' if up else 'DOWN'}" for name, up in found.parts.items()
    ]
    release = ", ".join(found.releases)
    return Row(f"{found.at:%Y-%m-%d %H:%M:%S} UTC  {', '.join(parts)}  {release}", bold=True)


def _problems(found: Overview) -> Iterator[Row]:
    if not found.problems:
        yield Row("No problems", "green")
    for each in found.problems[:MOST_PROBLEMS]:
        since = f" since {each.since:%Y-%m-%d %H:%M}" if each.since else ""
        yield Row(f"{each.title}{since}. {each.cost}", "red" if each.level == "bad" else "yellow")
    more = len(found.problems) - MOST_PROBLEMS
    if more > 0:
        yield Row(f"{more} more problems: flask doctor", "yellow")


def _alerts(alerts: Sequence[AlertRow]) -> Iterator[Row]:
    for each in alerts[:MOST_ALERTS]:
        by = f", acknowledged by {each.acknowledged_by}" if each.state == "acknowledged" else ""
        text = f"{each.severity.upper()} {each.title} since {each.since:%Y-%m-%d %H:%M}{by}"
        yield Row(text, "red" if each.severity == "critical" else "yellow")
    more = len(alerts) - MOST_ALERTS
    if more > 0:
        yield Row(f"{more} more alerts: flask query ListAlerts", "yellow")


def _figures(found: Overview) -> Iterator[Row]:
    for title, parts in FIGURES.items():
        shown = []
        for label, name in zip(parts[::2], parts[1::2], strict=True):
            text = value_text(found.statistics.get(name), STATISTICS[name].unit)
            shown.append(f"{f'{label} {text}'.strip():<24}")
        yield Row(f"{title:<10}{''.join(shown)}")


def _processes(found: Overview) -> Row:
    alive = Counter(each.kind for each in found.processes if each.alive)
    silent = Counter(each.kind for each in found.processes if not each.alive)
    parts = [f"{kind} {count}" for kind, count in sorted(alive.items())]
    parts += [f"{kind} {count} silent" for kind, count in sorted(silent.items())]
    return Row(f"{'Processes':<10}{', '.join(parts) or 'none'}", None if alive else "red")


def _slowest(found: Overview) -> Iterator[Row]:
    if not found.slowest:
        return
    title = "SLOWEST, LAST 5 MINUTES"
    yield Row(f"{title:<44}{'COUNT':>8}{'MEAN ms':>10}{'P95 ms':>10}{'TOTAL ms':>11}", bold=True)
    for each in found.slowest[:MOST_SLOW]:
        times = f"{each.mean:>10,.1f}{each.p95:>10,.1f}{each.total:>11,.0f}"
        yield Row(f"{each.kind:<8}{each.name[:35]:<36}{each.count:>8,}{times}")


def _subscriptions(found: Overview) -> Iterator[Row]:
    if not found.subscriptions:
        return
    title = "SUBSCRIPTION"
    yield Row(
        f"{title:<28}{'STATE':<12}{'POSITION':>10}{'BEHIND':>9}{'LAG s':>9}{'PARKED':>8}", bold=True
    )
    for each in found.subscriptions:
        lag = f"{each.position:>10,}{each.lag_events:>9,}{each.lag_seconds:>9,.1f}{each.parked:>8,}"
        colour = "red" if each.parked or each.state == "failed" else None
        if colour is None and each.state != "running":
            colour = "yellow"
        yield Row(f"{each.name[:27]:<28}{each.state:<12}{lag}", colour)
