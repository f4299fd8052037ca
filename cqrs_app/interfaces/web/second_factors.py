"""Setting up second factors: an authenticator app, passkeys, recovery codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import segno
from flask import flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from cqrs_app.interfaces.web.attempts import log_event
from cqrs_app.interfaces.web.auth import sets_up
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.gate import second_factor_required
from cqrs_app.interfaces.web.proofs import begin_options, site, step_up
from cqrs_app.kernel.messages.sentences import NEEDED
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.second_factors import NewApp
from cqrs_app.platform.operators.tables import NAME_LENGTH
from cqrs_app.services import services


class AppForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The sealed key of a new app, and the first code that the app shows."""

    sealed = HiddenField()
    code = StringField(
        "Code",
        [InputRequired("Enter the six digits that the app shows.")],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


class PasskeyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What its owner calls it; the browser's answer."""

    name = StringField(
        "Name",
        [InputRequired(NEEDED), Length(max=NAME_LENGTH)],
        description="Where it is, such as Laptop or Security key.",
        render_kw={"maxlength": NAME_LENGTH},
    )
    passkey = HiddenField()


@bp.get("/account/second-factor")
@sets_up
def second_factor() -> ResponseReturnValue:
    """The choice of a second factor, for who must have one."""
    if g.operator.has_second_factor or not second_factor_required():
        return redirect(url_for("web.account"))
    return render_template("auth/second_factor.html")


@bp.route("/account/authenticator", methods=["GET", "POST"])
@sets_up
def authenticator() -> ResponseReturnValue:
    """A QR code, and the form for the first code."""
    if asked := step_up():
        return asked
    form = AppForm()
    if request.method == "GET" or not form.is_submitted() or not form.sealed.data:
        return _app_page(form, services.second_factors.new_app(g.operator.name))
    name = g.operator.name
    try:
        app = services.second_factors.new_app(name, form.sealed.data)
    except AccountError as error:
        form.code.errors = [str(error)]
        return _app_page(form, services.second_factors.new_app(name)), 422
    if not form.validate():
        return _app_page(form, app), 422
    try:
        codes = services.second_factors.add_app(name, form.sealed.data, form.code.data or "")
    except AccountError as error:
        form.code.errors = [str(error)]
        return _app_page(form, app), 422
    log_event(Kind.FACTOR_ADDED, "second factor added: authenticator app", name)
    return _added("Authenticator app added.", codes)


@bp.post("/account/authenticator/remove")
def authenticator_remove() -> ResponseReturnValue:
    """Remove the app."""
    return _changed(
        lambda: services.second_factors.remove_app(g.operator.name), "authenticator app removed"
    )


@bp.route("/account/passkeys/new", methods=["GET", "POST"])
@sets_up
def passkey_new() -> ResponseReturnValue:
    """The form, which a script sends once the browser has made the passkey."""
    if asked := step_up():
        return asked
    form = PasskeyForm()
    if request.method == "GET" or form.passkey.data is None:
        return _passkey_page(form)
    if not form.validate():
        return _passkey_page(form), 422
    challenge = str(cookie.pop("challenge", ""))
    try:
        codes = services.passkeys.register(
            g.operator.name, form.name.data or "", form.passkey.data, challenge, site()
        )
    except AccountError as error:
        form.name.errors = [str(error)]
        return _passkey_page(form), 422
    log_event(Kind.FACTOR_ADDED, "second factor added: passkey", g.operator.name)
    return _added("Passkey added.", codes)


@bp.post("/account/passkeys/options")
@sets_up
def passkey_new_options() -> ResponseReturnValue:
    """What a browser needs to make a passkey."""
    if refusal := begin_options():
        return refusal
    options, cookie["challenge"] = services.passkeys.registration_options(g.operator.name, site())
    return options, 200, {"Content-Type": "application/json"}


@bp.post("/account/passkeys/<credential_id>/remove")
def passkey_remove(credential_id: str) -> ResponseReturnValue:
    """Remove a passkey."""
    name = g.operator.name
    return _changed(lambda: services.passkeys.remove(name, credential_id), "passkey removed")


@bp.post("/account/recovery-codes")
def recovery_codes() -> ResponseReturnValue:
    """Ten new codes in place of the others, shown once."""
    if asked := step_up():
        return asked
    try:
        codes = services.second_factors.new_recovery_codes(g.operator.name)
    except AccountError as error:
        flash(str(error), "bad")
        return redirect(url_for("web.account"), 303)
    log_event(Kind.RECOVERY_CODES, "new recovery codes", g.operator.name)
    return render_template("auth/recovery_codes.html", codes=codes, title="New recovery codes")


def _changed(change: Callable[[], None], event: str) -> ResponseReturnValue:
    if asked := step_up():
        return asked
    try:
        change()
    except AccountError as error:
        flash(str(error), "bad")
    else:
        log_event(Kind.FACTOR_REMOVED, event, g.operator.name)
        flash(f"{event.capitalize()}.", "good")
    return redirect(url_for("web.account"), 303)


def _added(sentence: str, codes: list[str]) -> ResponseReturnValue:
    if codes:
        return render_template("auth/recovery_codes.html", codes=codes, title=sentence)
    flash(sentence, "good")
    return redirect(url_for("web.account"), 303)


def _app_page(form: Any, app: NewApp) -> str:
    form.sealed.data = app.sealed
    picture = segno.make(app.uri, error="m").svg_inline(scale=5, dark="#000", light="#fff")
    return render_template("auth/authenticator.html", form=form, app=app, picture=Markup(picture))  # noqa: S704


def _passkey_page(form: Any) -> str:
    return render_template("auth/passkey.html", form=form)
