"""Expense claims: the list, one with its timeline and actions, and how they flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from flask import abort, g, render_template, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.expenses.commands import (
    ApproveExpenseClaim,
    DenyExpenseClaim,
    DraftExpenseClaim,
    PayExpenseClaim,
    RequestExpensePayment,
    RequestRevision,
    SubmitExpenseClaim,
)
from cqrs_app.areas.expenses.queries.lists import ListExpenseClaims
from cqrs_app.areas.expenses.queries.one_claim import (
    ExpenseActions,
    ExpenseTimeline,
    ExpenseView,
    GetExpenseClaim,
)
from cqrs_app.areas.expenses.queries.statistics import AGES, ExpenseStatistics
from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage, ExpenseStatus, words
from cqrs_app.interfaces.web.areas.area import Finder, Hit, Place, WebArea, free_number
from cqrs_app.interfaces.web.areas.finding import same_number
from cqrs_app.interfaces.web.ask import ask, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.awaiting import awaiting_approval, without_requested
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.list_page import ListPage
from cqrs_app.interfaces.web.listing import asked_here
from cqrs_app.interfaces.web.pending_badges import is_queued
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.tasks import allowed_tasks, offered
from cqrs_app.kernel.commands.actions import Action
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.services import services

HIGHEST_FIRST = {"claim_id": False, "amount": True, "started_at": True}
FILTERS = {"q": "Search", "show": "Show", "status": "Status", "stage": "Waits for", "kind": "Kind"}
SHOWN = {"all": "All claims", "open": "Open", "flagged": "Flagged"}
WORDS = {
    "show": SHOWN,
    "status": {each.value: each.label for each in ExpenseStatus},
    "stage": {each.value: each.label for each in ExpenseStage},
    "kind": {each.value: each.label for each in ExpenseKind},
}
DRAFTED = ("kind", "purpose", "budget", "amount", "currency")
"""What a draft keeps for its submission."""
BY_CLAIMANT = {"ResubmitExpenseClaim", "WithdrawExpenseClaim"}
SIGNING = {"ApproveExpenseClaim", "RequestRevision", "DenyExpenseClaim"}
BY_OTHERS = SIGNING | {"RequestExpensePayment", "PayExpenseClaim"}
BATCHED: tuple[type[Command], ...] = (ApproveExpenseClaim, RequestExpensePayment, PayExpenseClaim)


LIST = ListPage(
    name="expenses",
    query=ListExpenseClaims,
    title="Expenses",
    one="claim",
    many="claims",
    search="Claim number or claimant",
    filters=FILTERS,
    words=WORDS,
    highest_first=HIGHEST_FIRST,
    batched=BATCHED,
)


@bp.get("/expenses")
def expenses() -> ResponseReturnValue:
    """One page of the claims that match."""
    may_submit = may_act("expenses.submit")
    return render_template("expenses/expenses.html", may_submit=may_submit, **LIST.shown())


# A claim's number cannot begin with a hyphen.
@bp.get("/expenses/-/flow")
def expense_flow() -> ResponseReturnValue:
    """Open claims by stage and age, the time between steps, and rework."""
    question = asked_here(ExpenseStatistics)
    answer = ask(question)
    flow = answer.value
    return render_template(
        "expenses/flow.html",
        flow=flow,
        freshness=answer.freshness,
        question=question,
        kinds=list(ExpenseKind),
        ages=_age_groups(),
        claims=sum(each.claims for each in flow.submissions if each.submissions),
        resubmitted=sum(each.claims for each in flow.submissions if each.submissions > 1),
        resubmissions=sum(
            each.claims * (each.submissions - 1) for each in flow.submissions if each.submissions
        ),
    )


@bp.get("/expenses/<claim_id>")
def expense(claim_id: str) -> ResponseReturnValue:
    """One claim."""
    return render_template("expenses/expense.html", **_shown(claim_id))


@bp.get("/expenses/<claim_id>/now")
@background
def expense_now(claim_id: str) -> ResponseReturnValue:
    """The claim's content again, for the page that shows it."""
    return fragment(render_template("expenses/_expense.html", **_shown(claim_id)))


@bp.app_template_filter("expense_step")
def step_words(step: str) -> str:
    """A step in words: "approved budget_owner" -> "Approved by budget owner"."""
    what, _, stage = step.partition(" ")
    return f"{words(what)} by {words(stage).lower()}" if stage else words(what)


def _shown(claim_id: str) -> dict[str, Any]:
    """Folded from the claim's own events: these are few, and never stale."""
    missing = f"There is no claim {claim_id}."
    answer = ask(query_or_404(GetExpenseClaim, missing, claim_id=claim_id), strong=True)
    found: ExpenseView | None = answer.value
    stream = f"expense_claim-{claim_id}"
    if found is None and not is_queued(stream):
        abort(404, missing)
    timeline = ask(ExpenseTimeline(claim_id=claim_id), strong=True)
    actions = ask(ExpenseActions(claim_id=claim_id)).value
    requests = awaiting_approval([stream])
    mine = without_requested(actions.actions, requests, stream)
    allowed, not_now = allowed_tasks(tuple(_for_operator(mine, found)))
    if found and found.status is ExpenseStatus.DRAFT and found.claimant == g.operator.name:
        allowed = [*offered([SubmitExpenseClaim.__name__]), *allowed]
    return {
        "claim_id": claim_id,
        "claim": found,
        "requests": requests,
        "freshness": answer.freshness,
        "timeline": timeline.value[::-1],
        "timeline_freshness": timeline.freshness,
        "version": actions.version,
        "tasks": allowed,
        "not_now": not_now,
        "may_see_commands": may("commands.view"),
        "may_see_events": may("events.view"),
    }


def _for_operator(actions: Iterable[Action], claim: ExpenseView | None) -> Iterator[Action]:
    """The actions; what the rules refuse this operator whatever happens is not available."""
    for each in actions:
        reason = _not_for_operator(each.command, claim) if claim and each.allowed else ""
        yield replace(each, allowed=False, reason=reason) if reason else each


def _not_for_operator(command: str, claim: ExpenseView) -> str:
    own = claim.claimant == g.operator.name
    if command in BY_CLAIMANT:
        return "" if own else f"{claim.claimant} submitted this claim."
    if command in BY_OTHERS and own:
        return "Nobody signs or pays a claim of their own."
    if command in SIGNING and claim.stage and not may(f"expenses.sign_{claim.stage}"):
        return f"Your role does not sign for the {claim.stage.label.lower()}."
    return ""


def _age_groups() -> list[str]:
    """The groups of `WaitingClaims.by_age`."""
    between = pairwise(AGES)
    first, last = f"Less than {AGES[0]} day", f"{AGES[-1]} days or more"
    return [first, *(f"{low} to {high} days" for low, high in between), last]


def _draft(given: Mapping[str, str]) -> dict[str, Any]:
    """The fields of the draft that is submitted, or else a number for a new claim."""
    if "claim_id" not in given:
        return free_number("claim_id", "E")(given)
    found = ask(GetExpenseClaim(claim_id=given["claim_id"]), strong=True).value
    if found is None or found.status is not ExpenseStatus.DRAFT:
        return {}
    return {name: getattr(found, name) for name in DRAFTED}


def _stage(given: Mapping[str, str]) -> dict[str, Any]:
    """The stage that the claim waits for, so that the form says for which one it signs."""
    if "claim_id" not in given:
        return {}
    found = ask(GetExpenseClaim(claim_id=given["claim_id"]), strong=True).value
    return {"stage": found.stage} if found and found.stage else {}


def _find(text: str, most: int) -> Iterator[Hit]:
    formats = formats_of(services.settings.locale)
    for row in ask(ListExpenseClaims(q=text, limit=most)).value.rows:
        details = (row.purpose, row.status.label, formats.money(row.amount, row.currency))
        yield Hit(
            row.claim_id,
            url_for("web.expense", claim_id=row.claim_id),
            details,
            same_number(text, row.claim_id),
        )


EXPENSES = WebArea(
    places={"expense_claim": Place("expenses", "web.expenses", "web.expense")},
    suggestions={
        SubmitExpenseClaim: _draft,
        DraftExpenseClaim: free_number("claim_id", "E"),
        ApproveExpenseClaim: _stage,
        RequestRevision: _stage,
        DenyExpenseClaim: _stage,
    },
    finders=(Finder("Expense claims", "note", "expenses.view", _find, all="web.expenses"),),
    starts=(SubmitExpenseClaim,),
    batched=BATCHED,
)
