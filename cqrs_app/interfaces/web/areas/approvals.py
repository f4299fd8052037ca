"""Approvals: what waits for whom, one request to sign, and the policies."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.areas.approval_choices import POLICY_FIELDS
from cqrs_app.interfaces.web.areas.area import Place, Sign, WebArea
from cqrs_app.interfaces.web.ask import ask, may, may_act, query_or_404
from cqrs_app.interfaces.web.auth import background
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.polling import fragment
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
from cqrs_app.platform.approvals.events import ApprovalOutdated
from cqrs_app.platform.approvals.preview import PolicyPreview, PreviewApprovalPolicy
from cqrs_app.platform.approvals.queries import (
    ApprovalRequestView,
    GetApprovalRequest,
    ListApprovalPolicies,
    ListApprovalRequests,
    ListDelegations,
)
from cqrs_app.platform.approvals.request import ApprovalRequest, describe
from cqrs_app.platform.approvals.types import RequestState, SentFrom
from cqrs_app.services import kernel, services

VIEWS = {
    "waiting": "Waiting for you",
    "mine": "Requested by you",
    "open": "All open",
    "decided": "Decided",
    "overrides": "Overrides to review",
}


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
    view = request.args.get("view", "waiting")
    if view not in VIEWS:
        abort(404, "There is no such list of requests.")
    me = g.operator.name
    question = {
        "waiting": ListApprovalRequests(waits_for=me, limit=200),
        "mine": ListApprovalRequests(asked_by=me, limit=200),
        "open": ListApprovalRequests(show="open", limit=200),
        "decided": ListApprovalRequests(show="decided", limit=200),
        "overrides": ListApprovalRequests(unreviewed=True, limit=200),
    }[view]
    answer = ask(question)
    return {
        "view": view,
        "views": VIEWS,
        "rows": answer.value,
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
    asked = open_ and request_.may_sign(me)
    seat = request_.seat(me) if asked else None
    again = view.state in (RequestState.RETURNED, RequestState.STALE)
    return {
        "view": view,
        "label": label_of(view.command),
        "describe": describe,
        "freshness": answer.freshness,
        "command_id": new_id(),
        "mine": mine,
        "may_sign": asked and may_act(SIGN),
        "sign_for": seat.person if seat and seat.person != me.person else "",
        "may_withdraw": mine and (open_ or again) and may_act(REQUEST),
        "may_ask_again": mine and again and may_act(REQUEST),
        "may_override": open_ and may_act(OVERRIDE),
        "may_review": view.review_due is not None
        and request_.reviews(me, view.overrider)
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
    if waiting := ask(ListApprovalRequests(waits_for=g.operator.name, limit=200)).value:
        url = url_for("web.approvals")
        signs.append(Sign("Approvals", f"{len(waiting)} waiting", "warn", url))
    if overrides := ask(ListApprovalRequests(unreviewed=True, limit=200)).value:
        overdue = any(each.review_due < kernel.clock() for each in overrides)
        url = url_for("web.approvals", view="overrides")
        signs.append(
            Sign("Overrides", f"{len(overrides)} to review", "bad" if overdue else "warn", url)
        )
    return signs


def _preview(command: Command) -> str:
    terms = {name: getattr(command, name) for name in PreviewApprovalPolicy.__annotations__}
    preview: PolicyPreview = ask(PreviewApprovalPolicy(**terms)).value
    return preview.sentence


APPROVALS = WebArea(
    form_fields=POLICY_FIELDS,
    remarks={SetApprovalPolicy: _preview},
    home_signs=_signs,
    places={
        "approval": Place("approvals", "web.approvals", "web.approval", fragment=_panel),
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
        ApprovalOutdated: "Not approved: something has changed since this was requested. "
        "Whoever requested it can request it again."
    },
    suggestions={
        SignRequest: _digest,
        OverrideApproval: _digest,
        SetApprovalPolicy: _present,
        UseRecommendedPolicies: lambda given: {"over": Decimal(500), "currency": "EUR"},
    },
)
