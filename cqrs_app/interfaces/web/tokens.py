"""API tokens: list, create, revoke. Administrators only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than stubs
from wtforms.validators import InputRequired, NumberRange, Optional
from wtforms.widgets import CheckboxInput

from cqrs_app.installed_areas import ROLES
from cqrs_app.interfaces.web.ask import may
from cqrs_app.interfaces.web.auth import keeps_form
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.proofs import step_up
from cqrs_app.kernel.errors import NotAllowed
from cqrs_app.kernel.messages.sentences import NEEDED
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.names import account_of
from cqrs_app.platform.operators.roles import MANAGE_TOKENS
from cqrs_app.platform.operators.tables import NAME_LENGTH
from cqrs_app.platform.operators.tokens import DAYS, LONGEST_DAYS, Token, Tokens
from cqrs_app.services import services


def _permissions() -> list[SelectChoice]:
    """Every permission, with the least role that has it."""
    least = {name: role for role in reversed([*ROLES]) for name in ROLES[role]}
    return [SelectChoice(name, f"{name} ({least[name]})") for name in sorted(least)]


class TokenForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A new token's name and permissions."""

    name = StringField(
        "Name",
        [InputRequired(NEEDED)],
        description="What uses it, such as stock-room. The log shows it as token:stock-room.",
        render_kw={"autocapitalize": "none", "spellcheck": "false", "maxlength": NAME_LENGTH},
    )
    role = SelectField(
        "Role",
        [InputRequired(NEEDED)],
        choices=lambda: [SelectChoice(role, role.capitalize()) for role in services.roles.all()],
    )
    permissions = SelectMultipleField(
        "Only these permissions",
        choices=_permissions(),
        option_widget=CheckboxInput(),
        description="Choose none for all that the role may do. In brackets: the least role that "
        "has it.",
    )
    expires_days = IntegerField(
        "Ends after days",
        [
            Optional(),
            NumberRange(1, LONGEST_DAYS, f"Enter a number of days from 1 to {LONGEST_DAYS}."),
        ],
        default=DAYS,
        description="Leave empty for a token that works until it is revoked.",
        render_kw={"min": 1, "max": LONGEST_DAYS},
    )

    networks = StringField(
        "Only from these networks",
        description="With commas, such as 10.1.0.0/16, fd12::/16. Leave empty for any.",
        render_kw={"autocapitalize": "none", "spellcheck": "false"},
    )

    @property
    def expires_at(self) -> datetime | None:
        days = self.expires_days.data
        return datetime.now(UTC) + timedelta(days=days) if days else None


@bp.get("/tokens")
def tokens() -> ResponseReturnValue:
    """Every token, working ones first."""
    _require_right()
    now = datetime.now(UTC)
    rows = [{"token": token, "works": token.works_at(now)} for token in _tokens().list()]
    rows.sort(key=lambda row: not row["works"])
    return render_template("tokens/tokens.html", rows=rows)


def token_form_again(*, sentence: str, possible: bool) -> str:
    """The form with what was submitted and not carried out; `sentence` says why."""
    if possible:
        _require_right()
    return _page(TokenForm(), sentence)


@bp.route("/tokens/new", methods=["GET", "POST"])
@keeps_form(token_form_again)
def token_new() -> ResponseReturnValue:
    """The form; once submitted, the secret, which only this response shows."""
    _require_right()
    form = TokenForm()
    if not form.is_submitted():
        return _page(form, None)
    if not form.validate():
        return _page(form, None), 422
    if asked := step_up():
        return asked
    name: str = form.name.data or ""
    try:
        secret = _tokens().create(
            name,
            form.role.data,
            permissions=form.permissions.data or (),
            networks=form.networks.data or "",
            made_by=g.operator.name,
            rights=g.operator.permissions,
            expires_at=form.expires_at,
        )
    except AccountError as error:
        return _page(form, str(error)), 422
    services.audit.record(
        Kind.TOKEN_CREATED, g.operator.name, f"token:{account_of(name)}", detail=form.role.data
    )
    return render_template("tokens/made.html", name=account_of(name), secret=secret)


@bp.get("/tokens/<name>/revoke")
def token_revoke(name: str) -> ResponseReturnValue:
    """Ask for confirmation: a program that uses the token stops working."""
    _require_right()
    return render_template("tokens/revoke.html", token=_working(name))


@bp.post("/tokens/<name>/revoke")
def token_revoked(name: str) -> ResponseReturnValue:
    """End the token."""
    _require_right()
    try:
        _tokens().revoke(name, g.operator.name)
    except AccountError as error:
        flash(str(error), "bad")
    else:
        services.audit.record(Kind.TOKEN_REVOKED, g.operator.name, f"token:{name}")
        flash(f"{name} is revoked: whoever uses it is refused from now on.", "good")
    return redirect(url_for("web.tokens"), 303)


def _require_right() -> None:
    if not may(MANAGE_TOKENS):
        raise NotAllowed("API tokens", MANAGE_TOKENS)


def _working(name: str) -> Token:
    now = datetime.now(UTC)
    found = [token for token in _tokens().list() if token.name == name and token.works_at(now)]
    if not found:
        abort(404, f"There is no token called {name} that works: perhaps it was revoked meanwhile.")
    return found[0]


def _page(form: Any, error: str | None) -> str:
    return render_template("tokens/new.html", form=form, error=error)


def _tokens() -> Tokens:
    return services.tokens
