"""Changing one's password."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField
from wtforms.validators import EqualTo, InputRequired

from cqrs_app.interfaces.web.attempts import (
    attempt_succeeded,
    begin_attempt,
    begin_session,
    log_event,
    log_failure,
)
from cqrs_app.interfaces.web.auth import local_path, sets_up
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.kernel.messages.sentences import NEEDED
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.passwords import SHORTEST
from cqrs_app.services import services

RULE = (
    f"At least {SHORTEST} characters of any kind, and not easily guessed, since guessing is how "
    "most passwords are found. Four unrelated words are easy to remember."
)
WRONG = "The current password is wrong. Nothing was changed."
SAME = "This is the current password. Choose another."
_CHANGED = "Password changed. All other sessions were ended."


class PasswordForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The current password, and twice the new one."""

    current = PasswordField(
        "Current password", [InputRequired(NEEDED)], render_kw={"autocomplete": "current-password"}
    )
    new = PasswordField(
        "New password",
        [InputRequired(NEEDED)],
        description=RULE,
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "New password again",
        [InputRequired(NEEDED), EqualTo("new", "This differs from the new password.")],
        render_kw={"autocomplete": "new-password"},
    )
    next = HiddenField()


@bp.route("/account/password", methods=["GET", "POST"])
@sets_up
def account_password() -> ResponseReturnValue:
    """The form; once submitted, all sessions end and a new one begins."""
    form = PasswordForm(next=local_path(request.args.get("next", "")))
    if not form.is_submitted():
        return _page(form)
    proven = _proven_at()
    if not form.validate() or not _change(form):
        return _page(form), 422
    begin_session(g.operator.name, verified_at=proven)
    flash(_CHANGED, "good")
    return redirect(local_path(form.next.data), 303)


def _proven_at() -> datetime | None:
    """When the operator last proved who they are, where the password alone does not; None for
    now."""
    if not g.operator.has_second_factor:
        return None
    proven: datetime | None = services.sessions.verified_at(cookie["token"])
    return proven


def _change(form: Any) -> bool:
    """Change the password, or say at a field why not."""
    name = g.operator.name
    if refusal := begin_attempt(name):
        form.current.errors = [refusal.sentence]
        return False
    if services.accounts.verify(name, form.current.data) is None:
        log_failure(Kind.PASSWORD_REFUSED, "change of password refused", name)
        form.current.errors = [WRONG]
        return False
    attempt_succeeded(name)
    if form.new.data == form.current.data:
        form.new.errors = [SAME]
        return False
    try:
        services.accounts.set_password(name, form.new.data, by=g.operator.actor, channel="form")
    except AccountError as error:
        form.new.errors = [str(error)]
        return False
    log_event(Kind.PASSWORD_CHANGED, "password changed", name)
    return True


def _page(form: Any) -> str:
    return render_template(
        "auth/password.html",
        form=form,
        required=g.operator.must_change_password,
        action=url_for("web.account_password"),
    )
