"""Problems of the console with what to press."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from cqrs_app.interfaces.web.ask import may, may_act
from cqrs_app.platform.failures.commands import VIEW
from cqrs_app.platform.runtime.commands import MANAGE, SEE_COMMANDS
from cqrs_app.platform.runtime.problems import Problem


@dataclass(frozen=True, slots=True)
class Button:
    """A link, or with `dialog` a command's form."""

    text: str
    url: str
    dialog: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem with its buttons."""

    problem: Problem
    buttons: tuple[Button, ...]


def with_buttons(problem: Problem) -> Trouble:
    found = BUTTONS.get(problem.kind, _processes)(problem)
    return Trouble(problem, tuple(found))


def _processes(problem: Problem) -> list[Button]:
    return [Button("See processes", url_for("web.system_page", page="processes"))]


def _subscription(problem: Problem) -> list[Button]:
    page = url_for("web.system_page", page="subscriptions")
    return [Button("See subscriptions", page)]


def _paused(problem: Problem) -> list[Button]:
    form = url_for("web.command_form", name="ResumeProjection", projection=problem.subject)
    resume = [Button("Resume", form, dialog=True)] if may_act(MANAGE) else []
    return [*resume, *_subscription(problem)]


def _parked(problem: Problem) -> list[Button]:
    return _failures("event")


def _drift(problem: Problem) -> list[Button]:
    form = url_for("web.command_form", name="RepairProjection", projection=problem.subject)
    repair = [Button("Repair", form, dialog=True)] if may_act(MANAGE) else []
    page = url_for("web.system_page", page="subscriptions", _anchor="system-reconciliation")
    return [*repair, Button("See differences", page)]


def _failed_actions(problem: Problem) -> list[Button]:
    return [*_failures("command"), *_log("failed")(problem)]


def _crashed_jobs(problem: Problem) -> list[Button]:
    return [*_failures("job"), *_processes(problem)]


def _failures(kind: str) -> list[Button]:
    return [Button("See failures", url_for("web.failures", kind=kind))] if may(VIEW) else []


def _log(outcome: str) -> Callable[[Problem], list[Button]]:
    def buttons(problem: Problem) -> list[Button]:
        since = _text(problem.since) if problem.since else None
        log = url_for("web.command_log", outcome=outcome, since=since)
        return [Button("See log entries", log)] if may(SEE_COMMANDS) else []

    return buttons


def _webhook(problem: Problem) -> list[Button]:
    return [Button("See webhook", url_for("web.webhook", webhook_id=problem.subject))]


def _queries(problem: Problem) -> list[Button]:
    return [Button("See queries", url_for("web.system_page", page="questions"))]


def _reconciliation(problem: Problem) -> list[Button]:
    page = url_for("web.system_page", page="subscriptions", _anchor="system-reconciliation")
    return [Button("See reconciliation", page)]


def _storage(problem: Problem) -> list[Button]:
    return [Button("See storage", url_for("web.system_page", page="storage"))]


def _fulfilment(problem: Problem) -> list[Button]:
    return [Button("See orders", url_for("web.fulfilments", show="attention"))]


def _orders(problem: Problem) -> list[Button]:
    return [Button("See orders", url_for("web.orders", stage=problem.subject, sort="placed_at"))]


def _override(problem: Problem) -> list[Button]:
    return [Button("See request", url_for("web.approval", request_id=problem.subject))]


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


BUTTONS: Mapping[str, Callable[[Problem], list[Button]]] = {
    "stopped": _subscription,
    "behind": _subscription,
    "paused": _paused,
    "parked": _parked,
    "drift": _drift,
    "failed_actions": _failed_actions,
    "crashed_jobs": _crashed_jobs,
    "queued_actions": _log("queued"),
    "open_failures": lambda problem: _failures(problem.subject),
    "failed_requests": lambda problem: _failures("page"),
    "failed_queries": _queries,
    "not_reconciled": _reconciliation,
    "stuck_orders": _fulfilment,
    "oldest_order": _orders,
    "override": _override,
    "override_overdue": _override,
    "disk": _storage,
    "certificate": lambda problem: [],
    "audit_not_sent": lambda problem: [],
    "webhook_failing": _webhook,
    "webhook_paused": _webhook,
}
