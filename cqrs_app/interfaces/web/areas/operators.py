"""Operators: the list, one with its history, roles, and the access review."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Response, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.areas.area import Place, WebArea
from cqrs_app.interfaces.web.areas.choice_fields import checkboxes, choice
from cqrs_app.interfaces.web.ask import ask, may, may_act
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.listing import asked, page_size, turning
from cqrs_app.interfaces.web.zones import business_day
from cqrs_app.kernel.errors import Invalid, NotAllowed
from cqrs_app.kernel.messages.fields import WHOLE_NUMBER
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.access import Access, AccessOf, PersonsAccess
from cqrs_app.platform.operators.access_review import ListAccessReviews
from cqrs_app.platform.operators.commands import (
    MANAGE,
    ChangeOperatorDetails,
    ChangeOperatorRole,
    ChangeOperatorTeam,
    ChangeRole,
    DefineRole,
    InviteOperator,
    RecordAccessReview,
)
from cqrs_app.platform.operators.custom_roles import ListCustomRoles
from cqrs_app.platform.operators.links import OpenLink
from cqrs_app.platform.operators.queries import (
    GetOperatorHistory,
    ListOperators,
    OperatorRow,
)
from cqrs_app.services import kernel, services

VIEWS = {
    "": "All",
    "active": "Active",
    "invited": "Invited",
    "disabled": "Disabled",
}
NO_EMAIL = "There is no e-mail address."
LEAVER_DAYS = 60
"""Not signed in for so long, somebody may have left."""
COLUMNS = 25
"""Operators and tokens on one page of the access review; the file has all."""


@bp.get("/operators")
def operators() -> ResponseReturnValue:
    """The operators, by name."""
    days = request.args.get("idle_days", "").strip() or "0"
    try:
        question = asked(
            ListOperators,
            idle_days=int(days) if WHOLE_NUMBER.fullmatch(days) else days,
            **page_size(ListOperators),
        )
    except Invalid as invalid:
        raise Invalid("The address of this list", invalid.problems) from invalid
    answer = ask(question)
    return render_template(
        "operators/operators.html",
        question=question,
        page=answer.value,
        freshness=answer.freshness,
        views=VIEWS,
        leaver_days=LEAVER_DAYS,
        may_manage=may_act(MANAGE),
        **turning("web.operators", answer.value, question.limit),
    )


@bp.get("/operators/<operator>")
def operator(operator: str) -> ResponseReturnValue:
    """One operator."""
    return render_template("operators/operator.html", **_one(operator))


@bp.post("/operators/<operator>/link")
def operator_link(operator: str) -> ResponseReturnValue:
    """The link with which the operator chooses a password: shown in this response alone, or
    e-mailed."""
    _require_right()
    row = _row(operator)
    link = services.links.take(row.name, g.operator.name)
    if link is None:
        abort(404, "There is no link to show: it was shown already, was used or has expired.")
    address = url_for("web.sign_in_link", operator=row.name, secret=link.secret, _external=True)
    problem = ""
    if "mail" in request.form and services.link_mail is not None:
        email = services.mail_addresses.of(row.name).address
        problem = services.link_mail.send(link, address, email) if email else NO_EMAIL
        if not problem:
            flash(f"The link was sent to {email}.", "good")
            return redirect(url_for("web.operator", operator=row.name), 303)
    return render_template(
        "operators/link.html", row=row, link=link, address=address, problem=problem
    )


# No operator's name begins with a hyphen, so these are never the page of one.
@bp.get("/operators/-/roles")
def operator_roles() -> ResponseReturnValue:
    """The roles, built in and the shop's own, with their permissions by group."""
    answer = ask(ListCustomRoles())
    return render_template(
        "operators/roles.html",
        custom=answer.value,
        freshness=answer.freshness,
        built_in=ROLES,
        groups=groups_of,
        label_of=label_of,
        may_manage=may_act(MANAGE),
    )


@bp.get("/operators/-/access")
def operator_access() -> ResponseReturnValue:
    """Who may do what, and when somebody reviewed that last."""
    reviews = ask(ListAccessReviews())
    access = _access()
    shown, pages = _page_of(access.all)
    return render_template(
        "operators/access.html",
        access=access,
        shown=shown,
        pager=pages,
        reviews=reviews.value,
        freshness=reviews.freshness,
        may_manage=may_act(MANAGE),
    )


@bp.get("/operators/-/access.csv")
def operator_access_file() -> ResponseReturnValue:
    """The same as a file."""
    _require_right()
    services.audit.record(Kind.EXPORTED, g.operator.name, "access", detail="csv")
    name = f"access-{business_day():%Y-%m-%d}.csv"
    return Response(
        _access().csv(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _page_of(everybody: Sequence[PersonsAccess]) -> tuple[Sequence[PersonsAccess], dict[str, str]]:
    """The columns of the page that the address asks for, and the links to its neighbours."""
    given = request.args.get("page", "")
    last = max(1, -(-len(everybody) // COLUMNS))
    page = max(1, min(int(given[:6]), last)) if given.isdecimal() else 1
    neighbours = {"previous_url": page - 1, "next_url": page + 1}
    links = {
        name: url_for("web.operator_access", page=number)
        for name, number in neighbours.items()
        if 1 <= number <= last
    }
    text = {"text": f"Page {page} of {last}"} if last > 1 else {}
    return everybody[(page - 1) * COLUMNS : page * COLUMNS], text | links


def groups_of(permissions: Iterable[str]) -> dict[str, list[str]]:
    """Permissions by what they are about, such as orders."""
    found = defaultdict(list)
    for name in sorted(permissions):
        found[group_of(name)].append(name)
    return dict(found)


def group_of(permission: str) -> str:
    return permission.partition(".")[0].replace("_", " ").capitalize()


def label_of(name: str) -> str:
    """The label of a command."""
    command = kernel.registry.commands.get(name)
    return command.declaration.label if command else name


def _one(name: str) -> dict[str, Any]:
    row = _row(name)
    history = ask(GetOperatorHistory(operator=row.name))
    email = services.mail_addresses.of(row.name)
    return {
        "row": row,
        "history": history.value,
        "freshness": history.freshness,
        "link": _link(row.name),
        "email": email,
        "may_mail": services.link_mail is not None and bool(email.address),
        "myself": row.name == g.operator.name,
        "may_manage": may_act(MANAGE),
    }


def _link(name: str) -> OpenLink | None:
    """The link that is open, which only who made it may see, once."""
    found: OpenLink | None = services.links.open_of(name)
    if found is None:
        return None
    return replace(found, may_take=found.may_take and found.made_by == g.operator.name)


def _row(name: str) -> OperatorRow:
    missing = f"There is no operator called {name}."
    try:
        found = ask(ListOperators(operator=name)).value.rows
    except Invalid:
        abort(404, missing)
    if not found:
        abort(404, missing)
    row: OperatorRow = found[0]
    return row


def _panel(name: str) -> str:
    return render_template("operators/_operator.html", **_one(name))


def _access() -> Access:
    return AccessOf(kernel.engines.write, services.roles).now()


def _require_right() -> None:
    if not may(MANAGE):
        raise NotAllowed("Operators", MANAGE)


def _roles() -> list[tuple[str, str]]:
    return [(name, name) for name in services.roles.all()]


def _permissions() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(frozenset[str]().union(*ROLES.values()))]


def _details(given: Mapping[str, str]) -> dict[str, Any]:
    """The operator's details as they are, to change them."""
    if not given.get("operator"):
        return {}
    row = _row(given["operator"])
    email = services.mail_addresses.of(row.name).address
    shown = row.display_name if row.display_name != row.name else ""
    return {"role": row.role, "team": row.team, "display_name": shown, "email": email}


def _role_now(given: Mapping[str, str]) -> dict[str, Any]:
    """The role as it is, to change it."""
    for each in ask(ListCustomRoles(role=given.get("role", "-"))).value:
        same = ("permissions", "amounts", "countries", "teams")
        return {name: getattr(each, name) for name in same}
    return {}


def _some(*names: str) -> Any:
    return lambda given: {name: value for name, value in _details(given).items() if name in names}


def _shown_access(given: Mapping[str, str]) -> dict[str, Any]:
    return {"digest": given.get("digest") or _access().digest}


OPERATORS = WebArea(
    places={
        "operator": Place("operators", "web.operators", "web.operator", fragment=_panel),
        "operator_roles": Place(
            "operators",
            "web.operator_roles",
            after=lambda command: url_for("web.operator_roles"),
        ),
        "access_reviews": Place(
            "operators",
            "web.operator_access",
            after=lambda command: url_for("web.operator_access"),
        ),
    },
    suggestions={
        ChangeOperatorRole: _some("role"),
        ChangeOperatorTeam: _some("team"),
        ChangeOperatorDetails: _some("display_name", "email"),
        ChangeRole: _role_now,
        RecordAccessReview: _shown_access,
    },
    form_fields={
        (InviteOperator, "role"): choice("role", _roles),
        (ChangeOperatorRole, "role"): choice("role", _roles),
        (DefineRole, "permissions"): checkboxes("permissions", _permissions, group_of),
        (ChangeRole, "permissions"): checkboxes("permissions", _permissions, group_of),
    },
)
