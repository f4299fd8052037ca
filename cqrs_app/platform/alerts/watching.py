"""The background task that looks for problems, raises alerts and resolves them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import Connection, delete, select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.alerts.commands import LONGEST_TEXT, RaiseAlert, ResolveAlert
from cqrs_app.platform.alerts.deciding import Watched, watch
from cqrs_app.platform.alerts.queries import rules_in
from cqrs_app.platform.alerts.rules import Rule
from cqrs_app.platform.alerts.schedule import Turns
from cqrs_app.platform.alerts.sources import Found, Sources
from cqrs_app.platform.alerts.tables import alert_conditions, alerts
from cqrs_app.platform.runtime.problems import Problem

logger = logging.getLogger("countersign")

KEY = "all"
TURNS = Turns("watch", timedelta(seconds=10))

_ROW = alert_conditions.c


@dataclass(frozen=True, slots=True)
class _Before:
    rule: str
    watched: Watched


def alert_of(problem: Problem) -> str:
    """The id of the alert of this problem."""
    return f"{problem.kind}.{problem.subject}" if problem.subject else problem.kind


class WatchProblems(BackgroundTask):
    """Every ten seconds, on one host. What is pending is kept in rows, so a restart changes
    nothing; raising and resolving may be repeated, since the alert refuses it the second time. The
    only key is KEY."""

    name: ClassVar[str] = "alerts"
    # Without them it only watches.
    sends_commands: ClassVar[bool] = False

    def __init__(self, actor: Actor, sources: Sources) -> None:
        self._actor = actor
        self._sources = sources

    def due(self, kernel: Kernel) -> list[str]:
        return [KEY] if TURNS.is_due(kernel.engines.write, kernel.clock()) else []

    def work(self, kernel: Kernel, key: str) -> bool:
        with TURNS.taken(kernel) as turn:
            if turn:
                turn.error = self._look(kernel, self._sources.look(kernel))
        return False

    def _look(self, kernel: Kernel, found: Found) -> str:
        """Returns a sentence if an alert could not be raised or resolved, after the others."""
        now, failed = kernel.clock(), []
        problems = {alert_of(each): each for each in found.problems}
        with reader_of(kernel.engines.write).connect() as connection:
            rules, before = rules_in(connection), _known(connection)
        for alert_id in dict.fromkeys((*problems, *before)):
            problem, known = problems.get(alert_id), before.get(alert_id)
            name = problem.kind if problem else known.rule if known else ""
            rule = rules.get(name)
            if name in found.unknown and problem is None:
                continue
            try:
                self._follow(kernel, alert_id, rule, problem, known.watched if known else None, now)
            except DATABASE_TROUBLE:
                raise
            except Exception as error:
                logger.exception("the alert %s could not be raised or resolved", alert_id)
                kernel.report(error, kind="job", place=self.name, reference=alert_id)
                failed.append(alert_id)
        return f"Could not be raised or resolved: {', '.join(failed)}." if failed else ""

    def _follow(
        self,
        kernel: Kernel,
        alert_id: str,
        rule: Rule | None,
        problem: Problem | None,
        before: Watched | None,
        now: datetime,
    ) -> None:
        after = watch(rule, before, problem.value if problem else None, now) if rule else None
        was, is_now = bool(before and before.raised), bool(after and after.raised)
        if was != is_now and not kernel.commands.enabled:
            return
        if after and rule and problem and is_now and not was:
            self._send(kernel, _raising(alert_id, rule, problem, after))
        elif was and not is_now:
            self._send(kernel, ResolveAlert(alert_id=alert_id))
        if before != after:
            with kernel.engines.write.begin() as connection:
                # What somebody has resolved in the meantime is watched anew.
                if not (was and is_now and _is_resolved(connection, alert_id)):
                    _keep(connection, alert_id, problem, after)

    def _send(self, kernel: Kernel, command: Command) -> None:
        # A refusal: another process or a person was first.
        with suppress(Refused):
            kernel.commands.execute(command, Context(actor=self._actor, channel="alerts"))


def _raising(alert_id: str, rule: Rule, problem: Problem, watched: Watched) -> RaiseAlert:
    return RaiseAlert(
        alert_id=alert_id,
        rule=rule.name,
        subject=problem.subject,
        severity=rule.severity,
        owner=rule.owner,
        title=problem.title[:LONGEST_TEXT],
        cost=problem.cost[:LONGEST_TEXT],
        remedy=problem.remedy[:LONGEST_TEXT],
        value=round(watched.value),
        since=min(problem.since or watched.since, watched.since),
    )


def _known(connection: Connection) -> Mapping[str, _Before]:
    """What is pending, and what is raised even where its condition was not kept."""
    raised = select(alerts.c.alert_id, alerts.c.rule, alerts.c.since)
    found = {
        row.alert_id: _Before(row.rule, Watched(row.since, 0.0, raised=True))
        for row in connection.execute(raised.where(alerts.c.state != "resolved"))
    }
    kept = select(_ROW.alert_id, _ROW.rule, _ROW.since, _ROW.value, _ROW.raised)
    for row in connection.execute(kept):
        found[row.alert_id] = _Before(row.rule, Watched(row.since, row.value, row.raised))
    return found


def _is_resolved(connection: Connection, alert_id: str) -> bool:
    """Locks the alert, so that it cannot be resolved before the caller commits."""
    found = select(alerts.c.state).where(alerts.c.alert_id == alert_id).with_for_update()
    return connection.execute(found).scalar() == "resolved"


def _keep(
    connection: Connection, alert_id: str, problem: Problem | None, after: Watched | None
) -> None:
    if after is None or problem is None:
        connection.execute(delete(alert_conditions).where(_ROW.alert_id == alert_id))
        return
    values = {
        "rule": problem.kind,
        "title": problem.title,
        "cost": problem.cost,
        "since": after.since,
        "value": after.value,
        "raised": after.raised,
    }
    row = insert_into(connection, alert_conditions).values(alert_id=alert_id, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["alert_id"], set_=values))
