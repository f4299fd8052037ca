"""Choosing a password with a link, which works once and does not sign in."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import EqualTo, InputRequired

from cqrs_app.interfaces.web.attempts import TOO_MANY, log_event, log_failure
from cqrs_app.interfaces.web.auth import public
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.passwords import RULE
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.messages.sentences import NEEDED
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.services import services

USED = (
    "This link does not work any more: it was used, replaced or has expired. Ask an administrator "
    "for another."
)


class LinkForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The new password, twice."""

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


@bp.route("/sign-in/link/<operator>/<secret>", methods=["GET", "POST"])
@public
def sign_in_link(operator: str, secret: str) -> ResponseReturnValue:
    """The form; once submitted, the sign-in page, where the new password works."""
    if wait := services.sign_in_rates.wait_of(request.remote_addr or ""):
        return TOO_MANY.format(wait), 429, {"Retry-After": str(wait)}
    shown = services.links.owner(operator, secret)
    if shown is None:
        log_failure(Kind.SIGN_IN_REFUSED, "sign-in link refused", operator)
        abort(404, USED)
    form = LinkForm()
    if not form.is_submitted():
        return _page(form, operator, shown)
    if not form.validate() or not _choose(form, operator):
        return _page(form, operator, shown), 422
    log_event(Kind.PASSWORD_CHANGED, "password chosen with a link", operator)
    flash("Password saved. Sign in with it.", "good")
    return redirect(url_for("web.sign_in"), 303)


def _choose(form: Any, operator: str) -> bool:
    try:
        services.accounts.set_password(
            operator, form.new.data, by_link=True, by=Actor(operator), channel="form"
        )
    except AccountError as error:
        form.new.errors = [str(error)]
        return False
    return True


def _page(form: Any, operator: str, shown: str) -> str:
    return render_template("auth/link.html", form=form, name=operator, shown=shown)
