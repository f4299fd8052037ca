"""Approvals: what waits for whom, one request to sign, and the policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas.approval_choices import POLICY_FIELDS, policed
from cqrs_app.interfaces.web.areas.area import Place, Sign, WebArea
from cqrs_app.interfaces.web.ask import ask, authorise, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.listing import PLACE, asked_here, chips, here, turning
from cqrs_app.interfaces.web.polling import fragment
from cqrs_app.interfaces.web.tasks import selecting
from cqrs_app.kernel import COUNTED_TO
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.approvals.commands import (
    MANAGE,
    OVERRIDE,
    REQUEST,
    SIGN,
    OverrideApproval,
    SetApprovalPolicy,
    SignRequest,
    UseRecommendedPolicies,
)
from cqrs_app.platform.approvals.events import OUTDATED, ApprovalOutdated, ApprovalPolicySet
from cqrs_app.platform.approvals.lists import ChooseApprovalRequests, ListApprovalRequests
from cqrs_app.platform.approvals.preview import PolicyPreview, PreviewApprovalPolicy
from cqrs_app.platform.approvals.queries import (
    ApprovalRequestView,
    GetApprovalRequest,
    ListApprovalPolicies,
    ListDelegations,
)
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.seats import asks, describe, reviews, seat
from cqrs_app.platform.approvals.types import RequestState, SentFrom
from cqrs_app.services import kernel, services

VIEWS = {
    "waiting": "Waiting for you",
    "mine": "Requested by you",
    "open": "All open",
    "decided": "Decided",
    "overrides": "Overrides to review",
}
FILTERS = {"command": "Action", "asked_by": "Requested by", "state": "State"}
ENOUGH_SIGNERS = 2
"""One who asks and one who signs."""
BATCHED: tuple[type[Command], ...] = (SignRequest,)


@bp.get("/approvals")
def approvals() -> ResponseReturnValue:
    """The requests of one view, the oldest open ones first."""
    return render_template("approvals/approvals.html", **_list())


# No request has this id, so this is never the page of one.
@bp.get("/approvals/-/now")
@background
def approvals_now() -> ResponseReturnValue:
    """The list again, for the page that shows it."""
    return fragment(render_template("approvals/_list.html", **_list()))


@bp.get("/approvals/-/policies")
def approval_policies() -> ResponseReturnValue:
    """The policies that are set."""
    return render_template("approvals/policies.html", **_policies())


@bp.get("/approvals/<request_id>")
def approval(request_id: str) -> ResponseReturnValue:
    """One request."""
    return render_template("approvals/approval.html", **_one(request_id))


@bp.get("/approvals/<request_id>/now")
@background
def approval_now(request_id: str) -> ResponseReturnValue:
    """Its content again, for the page that shows it."""
    return fragment(_panel(request_id))


def _list() -> dict[str, Any]:
    authorise(ListApprovalRequests)
    view = request.args.get("view", "waiting")
    if view not in VIEWS:
        abort(404, "There is no such list of requests.")
    me = g.operator.name
    fixed = {
        "waiting": {"waits_for": me},
        "mine": {"asked_by": me},
        "open": {"show": "open"},
        "decided": {"show": "decided"},
        "overrides": {"unreviewed": True},
    }[view]
    question = asked_here(ListApprovalRequests, **fixed)
    answer = ask(question)
    filters = {name: text for name in FILTERS if (text := getattr(question, name))}
    turned: dict[str, Any] = {name: text for name in PLACE if (text := request.args.get(name))}
    commands = {each.__name__: each.declaration.label for each in policed()}
    return {
        "view": view,
        "views": VIEWS,
        "page": answer.value,
        "question": question,
        "commands": sorted(commands.items(), key=lambda each: each[1]),
        "states": _states(view),
        "chips": chips("web.approvals", FILTERS, {"command": commands}),
        "without_policies": not answer.value.rows and not ask(ListApprovalPolicies()).value,
        "poll_url": here("web.approvals_now", **turned),
        "what": "approvals",
        **selecting(BATCHED if view == "waiting" else ()),
        "filters_query": urlencode(filters | fixed),
        **turning("web.approvals", answer.value, question.limit),
        "label_of": label_of,
        "freshness": answer.freshness,
        "delegations": [
            each for each in ask(ListDelegations()).value if me in (each.operator, each.delegate)
        ],
        "may_delegate": may_act(SIGN),
        "me": me,
    }


def _panel(request_id: str) -> str:
    return render_template("approvals/_approval.html", **_one(request_id))


def _policies() -> dict[str, Any]:
    answer = ask(ListApprovalPolicies())
    return {
        "channel_of": lambda channel: SentFrom(channel).label,
        "policies": answer.value,
        "label_of": label_of,
        "describe": describe,
        "freshness": answer.freshness,
        "may_manage": may_act(MANAGE),
        "alone": len(services.signers.all()) < ENOUGH_SIGNERS,
    }


def _one(request_id: str) -> dict[str, Any]:
    missing = f"There is no approval request {request_id}."
    answer = ask(query_or_404(GetApprovalRequest, missing, request_id=request_id))
    view: ApprovalRequestView | None = answer.value
    if view is None:
        abort(404, missing)
    mine, open_ = view.asker == g.operator.name, view.state is RequestState.OPEN
    me = services.signers.signing(g.operator.name)
    request_ = _as_signed(view)
    asked = open_ and asks(request_, me)
    place = seat(request_, me) if asked else None
    again = view.state in (RequestState.RETURNED, RequestState.STALE)
    return {
        "view": view,
        "label": label_of(view.command),
        "describe": describe,
        "freshness": answer.freshness,
        "command_id": new_id(),
        "mine": mine,
        "may_sign": asked and may_act(SIGN),
        "sign_for": place.person if place and place.person != me.person else "",
        "may_withdraw": mine and (open_ or again) and may_act(REQUEST),
        "may_ask_again": mine and again and may_act(REQUEST),
        "may_override": open_ and may_act(OVERRIDE),
        "may_review": view.review_due is not None
        and reviews(request_, me, view.overrider)
        and may_act(SIGN),
        "overdue": view.review_due is not None and view.review_due < kernel.clock(),
    }


def _as_signed(view: ApprovalRequestView) -> ApprovalRequest:
    """What decides who may sign or review it."""
    return ApprovalRequest(
        state=view.state,
        asker=view.asker,
        stages=view.stages,
        stage=view.stage,
        signed=dict.fromkeys(view.signed, view.stage),
        signed_for=view.signed_for,
    )


def label_of(name: str) -> str:
    """The label of a command."""
    command = kernel.registry.commands.get(name)
    return command.declaration.label if command else name


def _digest(given: Mapping[str, str]) -> dict[str, Any]:
    """What a signature names: the request as it is shown now."""
    if not given.get("request_id"):
        return {}
    missing = f"There is no approval request {given['request_id']}."
    question = query_or_404(GetApprovalRequest, missing, request_id=given["request_id"])
    found = ask(question).value
    return {"digest": found.digest} if found else {}


def _present(given: Mapping[str, str]) -> dict[str, Any]:
    """The policy as it is, to change it."""
    if not given.get("policy"):
        return {}
    found = ask(ListApprovalPolicies(policy=given["policy"])).value
    return {name: getattr(found[0], name) for name in found[0].__annotations__} if found else {}


def _signs() -> list[Sign]:
    """What waits for the operator, and overrides to review; nothing if nothing does."""
    if not may(SIGN):
        return []
    signs = []
    mine = ListApprovalRequests(waits_for=g.operator.name, limit=1, count=True)
    if waiting := ask(mine).value.total:
        url = url_for("web.approvals")
        signs.append(Sign("Approvals", f"{_at_most(waiting)} waiting", "warn", url))
    overrides = ask(ListApprovalRequests(unreviewed=True, limit=200, count=True)).value
    if overrides.total:
        overdue = any(each.review_due < kernel.clock() for each in overrides.rows)
        url = url_for("web.approvals", view="overrides")
        reading = f"{_at_most(overrides.total)} to review"
        signs.append(Sign("Overrides", reading, "bad" if overdue else "warn", url))
    return signs


def _states(view: str) -> list[RequestState]:
    """Those that requests of a view can have."""
    return [each for each in RequestState if view == "mine" or each.pending == (view == "open")]


def _at_most(count: int) -> str:
    return f"{COUNTED_TO:,}+" if count > COUNTED_TO else f"{count:,}"


def _names(request_ids: Iterable[str]) -> Mapping[str, str]:
    """What each request would do."""
    question = ChooseApprovalRequests(ids=tuple(request_ids))
    return {each.subject: each.summary for each in ask(question).value.rows}


def _preview(command: Command) -> str:
    terms = {name: getattr(command, name) for name in PreviewApprovalPolicy.__annotations__}
    preview: PolicyPreview = ask(PreviewApprovalPolicy(**terms)).value
    return preview.sentence


APPROVALS = WebArea(
    form_fields=POLICY_FIELDS,
    remarks={SetApprovalPolicy: _preview},
    batched=BATCHED,
    home_signs=_signs,
    places={
        "approval": Place(
            "approvals", "web.approvals", "web.approval", fragment=_panel, names=_names
        ),
        "approval_delegation": Place(
            "approvals", "web.approvals", after=lambda command: url_for("web.approvals")
        ),
        "approval_policies": Place(
            "approvals",
            "web.approval_policies",
            after=lambda command: url_for("web.approval_policies"),
        ),
    },
    warnings={
        ApprovalOutdated: OUTDATED,
    },
    several={ApprovalPolicySet: "approval policies set"},
    suggestions={
        SignRequest: _digest,
        OverrideApproval: _digest,
        SetApprovalPolicy: _present,
        UseRecommendedPolicies: lambda given: {"over": Decimal(500), "currency": "EUR"},
    },
)
