"""Alerts: what is on and pending, one with its history, the rules and the notices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from cqrs_app import PROJECT
from cqrs_app.interfaces.web.areas.area import Place, Sign, WebArea
from cqrs_app.interfaces.web.ask import ask, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.listing import asked
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.problems import Button, with_buttons
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.alerts.commands import (
    CONFIGURE,
    MANAGE,
    TEST_MESSAGE,
    VIEW,
    ChangeAlertRule,
    EndAlertRuleSilence,
    SendTestAlert,
    SilenceAlert,
    SilenceAlertRule,
)
from cqrs_app.platform.alerts.queries import (
    AlertRow,
    AlertView,
    CountAlerts,
    GetAlert,
    ListAlertRules,
    ListAlerts,
    ListAlertTasks,
    ListNotices,
    ListPendingAlerts,
)
from cqrs_app.platform.alerts.rules import RULES, Rule
from cqrs_app.platform.runtime.problems import Problem

STATES = {"on": "Open", "resolved": "Resolved", "all": "All"}
TONES = {"critical": "bad", "warning": "warn"}
RUNBOOK = PROJECT / "docs" / "operating.md"
CHANGED = ("enabled", "raise_at", "clear_at", "pending_seconds", "severity", "owner")


@bp.get("/alerts")
def alerts() -> ResponseReturnValue:
    """Alerts in one state, and what is pending."""
    return render_template("alerts/alerts.html", **_list())


# No alert has these ids, so these are never the page of one.
@bp.get("/alerts/-/now")
@background
def alerts_now() -> ResponseReturnValue:
    """The list again, for the page that shows it."""
    return fragment(render_template("alerts/_list.html", **_list()))


@bp.get("/alerts/-/rules")
def alert_rules() -> ResponseReturnValue:
    """When alerts are raised, and where notices go."""
    return render_template("alerts/rules.html", **_rules())


@bp.get("/alerts/-/rules/now")
@background
def alert_rules_now() -> ResponseReturnValue:
    """The rules again, for the page that shows them."""
    return fragment(render_template("alerts/_rules.html", **_rules()))


@bp.get("/alerts/-/runbook/<rule>")
def alert_runbook(rule: str) -> ResponseReturnValue:
    """What to do about the alerts of a rule."""
    # The question also checks that whoever looks may see this.
    rules = {each.name: each for each in ask(ListAlertRules()).value}
    if rule not in rules or not rules[rule].runbook:
        abort(404, f"There is no runbook for the alert rule {rule}.")
    found = rules[rule]
    text = section(RUNBOOK.read_text(encoding="utf-8"), found.runbook) if RUNBOOK.exists() else ""
    return render_template("alerts/runbook.html", rule=found, text=text)


@bp.get("/alerts/<alert_id>")
def alert(alert_id: str) -> ResponseReturnValue:
    """One alert."""
    return render_template("alerts/alert.html", **_one(alert_id))


@bp.get("/alerts/<alert_id>/now")
@background
def alert_now(alert_id: str) -> ResponseReturnValue:
    """Its content again, for the page that shows it."""
    return fragment(_alert_panel(alert_id))


def section(document: str, heading: str) -> str:
    """The text below a heading of the third level, up to the next heading; empty if there is
    none."""
    _, found, rest = document.partition(f"\n### {heading}\n")
    lines: list[str] = []
    for line in rest.splitlines() if found else ():
        if line.startswith(("## ", "### ")):
            break
        lines.append(line)
    return "\n".join(lines).strip()


def _list() -> dict[str, Any]:
    try:
        question = asked(ListAlerts)
    except Invalid as invalid:
        raise Invalid("The address of this list", invalid.problems) from invalid
    answer = ask(question)
    return {
        "question": question,
        "rows": answer.value,
        "pending": ask(ListPendingAlerts()).value,
        "tasks": {each.name: each for each in ask(ListAlertTasks()).value},
        "freshness": answer.freshness,
        "states": STATES,
        **_words(),
    }


def _rules() -> dict[str, Any]:
    answer = ask(ListAlertRules())
    return {
        "rules": answer.value,
        "notices": ask(ListNotices()).value,
        "tasks": {each.name: each for each in ask(ListAlertTasks()).value},
        "freshness": answer.freshness,
        "may_manage": may_act(MANAGE),
        "may_configure": may_act(CONFIGURE),
        "silent": _silent,
        **_words(),
    }


def _silent(rule: Rule) -> bool:
    return rule.silenced_until is not None and rule.silenced_until > datetime.now(UTC)


def _alert_panel(alert_id: str) -> str:
    return render_template("alerts/_alert.html", **_one(alert_id))


def _one(alert_id: str) -> dict[str, Any]:
    missing = f"There is no alert {alert_id}."
    answer = ask(query_or_404(GetAlert, missing, alert_id=alert_id))
    view: AlertView | None = answer.value
    if view is None:
        abort(404, missing)
    now = datetime.now(UTC)
    until = view.alert.silenced_until
    return {
        "view": view,
        "alert": view.alert,
        "silent": until is not None and until > now,
        "rule_silent": view.rule is not None and _silent(view.rule),
        "buttons": _buttons(view.alert),
        "freshness": answer.freshness,
        "may_manage": may_act(MANAGE),
        "may_configure": may_act(CONFIGURE),
        **_words(),
    }


def _words() -> dict[str, Any]:
    return {"tones": TONES, "units": {name: rule.unit for name, rule in RULES.items()}}


def _buttons(row: AlertRow) -> tuple[Button, ...]:
    if row.state == "resolved":
        return ()
    problem = Problem(
        kind=row.rule,
        subject=row.subject,
        level="warn",
        title=row.title,
        cost=row.cost,
        since=row.since,
        remedy=row.remedy,
    )
    return with_buttons(problem).buttons


def _in_an_hour(given: Mapping[str, str]) -> dict[str, Any]:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return {"until": now + timedelta(hours=1)}


def _present_values(given: Mapping[str, str]) -> dict[str, Any]:
    for each in ask(ListAlertRules()).value:
        if each.name == given.get("rule"):
            return {name: getattr(each, name) for name in CHANGED}
    return {}


def _title(given: Mapping[str, str]) -> Markup:
    """The rule that a form is about, in words."""
    rule = RULES.get(given.get("rule", ""))
    if rule is None:
        return Markup()
    return Markup('<p class="order-summary strong">{}</p>').format(rule.title)


def _signs() -> list[Sign]:
    if not may(VIEW):
        return []
    count = ask(CountAlerts()).value
    return [Sign("Alerts", str(count), "bad" if count else "good", url_for("web.alerts"))]


def _after_a_test(command: Command) -> str:
    """A test is no alert that has a page; its notices are listed with the rules."""
    return url_for("web.alert_rules") if isinstance(command, SendTestAlert) else ""


ALERTS = WebArea(
    places={
        "alert": Place(
            "alerts", "web.alerts", "web.alert", fragment=_alert_panel, after=_after_a_test
        ),
        "alert_rule": Place("alerts", "web.alert_rules"),
    },
    suggestions={
        SilenceAlert: _in_an_hour,
        SilenceAlertRule: _in_an_hour,
        ChangeAlertRule: _present_values,
        SendTestAlert: lambda given: {"message": TEST_MESSAGE},
    },
    summaries=dict.fromkeys((SilenceAlertRule, EndAlertRuleSilence, ChangeAlertRule), _title),
    home_signs=_signs,
)
