"""When a problem is raised as an alert and when the alert ends. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cqrs_app.platform.alerts.rules import Rule


@dataclass(frozen=True, slots=True)
class Watched:
    """A problem beyond the limit of its rule: since when, its last value, and whether it was
    raised."""

    since: datetime
    value: float
    raised: bool


def watch(rule: Rule, before: Watched | None, value: float | None, now: datetime) -> Watched | None:
    """What is known of a problem after it was looked at; `value` is None where there is none.
    Returns None once it is over, and `raised` once the alert has to be."""
    if value is None or not rule.enabled:
        return None
    if before is not None and before.raised:
        return replace(before, value=value) if rule.lasts(value) else None
    if not rule.begins(value):
        return None
    since = before.since if before else now
    return Watched(since, value, raised=now - since >= timedelta(seconds=rule.pending_seconds))
