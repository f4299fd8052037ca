"""Signing in and out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from flask import flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired

from cqrs_app.interfaces.web.attempts import (
    TOO_MANY,
    AttemptRefused,
    attempt_succeeded,
    begin_attempt,
    begin_session,
    log_event,
    log_failure,
)
from cqrs_app.interfaces.web.auth import local_path, public, sets_up, this_address
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.proofs import (
    PREFIX,
    RESTART,
    ProofForm,
    kept_fields,
    passkey_owner,
    proof_page,
    prove,
)
from cqrs_app.interfaces.web.security import refuse_foreign_pages
from cqrs_app.interfaces.web.uploading import Upload, discard_body
from cqrs_app.interfaces.web.zones import shown_zone
from cqrs_app.mounting import mounted_in
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.platform.operators.identities import DISABLED
from cqrs_app.platform.operators.sessions import SignOn
from cqrs_app.services import services

WRONG = "The name or the password is wrong, or the account is disabled."
WRONG_WAY = "The name or the password is wrong, or the account signs in with {}."
OPEN_TOO_LONG = "This page was open too long, so you were not signed in. Enter your password again."
INCOMPLETE = "Enter your name and password."
SIGNED_OUT = "You are signed out, so nothing was sent. What you entered is kept: sign in to go on."
FILE_NOT_SENT = "You are signed out, so nothing was uploaded. Sign in, then choose the file again."
NOTICE = (
    "Changed in your account since you last signed in: {} If it was not you, change your password "
    "and tell an administrator."
)
logger = logging.getLogger(__name__)

SIGN_IN_PREFIX = "sign-in-"
"""Of the fields of the sign-in form that stands in another form's place."""


class SignInForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Name, password, and the page to go to."""

    name = StringField(
        "Name",
        [InputRequired()],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        "Password", [InputRequired()], render_kw={"autocomplete": "current-password"}
    )
    passkey = HiddenField()
    next = HiddenField()


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """The form; with the right name and password, a new session."""
    form = SignInForm(next=local_path(request.args.get("next", "")))
    if request.method == "GET":
        is_elsewhere = g.operator or mounted_in()
        return redirect(local_path(form.next.data)) if is_elsewhere else _page(form, None)
    if refusal := _sign_in(form):
        return _page(form, refusal.sentence), refusal.status, refusal.headers
    address = local_path(form.next.data)
    if g.operator is None:
        address = url_for("web.second_step", next=address)
    return redirect(address, 303)


@bp.route("/sign-in/second-factor", methods=["GET", "POST"])
@public
def second_step() -> ResponseReturnValue:
    """The form for who gave the right password and has a second factor; then the session."""
    address, name = local_path(request.args.get("next", "")), _waiting()
    if name is None:
        return redirect(address if g.operator else url_for("web.sign_in", next=address), 303)
    form, action = ProofForm(), url_for("web.second_step", next=address)
    if request.method == "GET":
        return proof_page(form, action, signing_in=name)
    if _somebody_else(form, name):
        return redirect(url_for("web.sign_in", next=address), 303)
    if refusal := _finish(form, name):
        page = proof_page(form, action, refusal.sentence, signing_in=name)
        return page, refusal.status, refusal.headers
    return redirect(address, 303)


@bp.post("/sign-out")
@sets_up
def sign_out() -> ResponseReturnValue:
    """End the session on the server: a copy of the cookie is worthless from now on."""
    services.sessions.revoke(cookie["token"])
    log_event(Kind.SIGNED_OUT, "signed out", g.operator.name)
    cookie.clear()
    mounted = mounted_in()
    address = (
        mounted.ask(lambda users: users.sign_out_address()) if mounted else url_for("web.sign_in")
    )
    response = redirect(address, 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _sign_in(form: SignInForm) -> AttemptRefused | None:
    """Open a session for whoever the form names, who is `g.operator` from then on, unless the
    second factor is due."""
    complete = form.validate()
    if form.csrf_token.errors:
        return AttemptRefused(OPEN_TOO_LONG)
    if form.passkey.data:
        return _sign_in_by_passkey(form.passkey.data)
    if not complete:
        return AttemptRefused(INCOMPLETE)
    name, password = form.name.data or "", form.password.data or ""
    if refusal := begin_attempt(name):
        return refusal
    operator = services.accounts.verify(name, password)
    if operator is None or not services.settings.lets_in_locally(operator.name):
        log_failure(Kind.SIGN_IN_REFUSED, "sign-in refused", name)
        return AttemptRefused(_wrong())
    attempt_succeeded(name)
    if operator.has_second_factor:
        begin_session(operator.name, second_factor_due=True)
        log_event(Kind.FIRST_STEP, "password accepted, second factor due", operator.name)
    else:
        signed_in(operator.name)
    return None


def _sign_in_by_passkey(response: str) -> AttemptRefused | None:
    """A passkey that verified its user is two factors in one."""
    wait = services.sign_in_rates.wait_of(request.remote_addr or "")
    if wait:
        return AttemptRefused(TOO_MANY.format(wait), 429, wait)
    try:
        name = passkey_owner(response)
    except AccountError as error:
        log_failure(Kind.SIGN_IN_REFUSED, "passkey refused", "")
        return AttemptRefused(str(error))
    if not services.accounts.is_working(name):
        log_failure(Kind.SIGN_IN_REFUSED, "sign-in refused", name)
        return AttemptRefused(DISABLED)
    if not services.settings.lets_in_locally(name):
        log_failure(Kind.SIGN_IN_REFUSED, "sign-in refused", name)
        return AttemptRefused(_wrong())
    signed_in(name, "with a passkey")
    return None


def _finish(form: ProofForm, name: str) -> AttemptRefused | None:
    """The second step."""
    if refusal := prove(form, name, password_will_do=False):
        return refusal
    signed_in(name, "with a second factor")
    return None


def _somebody_else(form: ProofForm, name: str) -> bool:
    """Whether somebody else wants to sign in: then the session that waits for the second step
    ends."""
    if RESTART not in request.form or not form.validate():
        return False
    services.sessions.revoke(cookie.pop("token"))
    log_event(Kind.SIGN_IN_REFUSED, "second step given up", name)
    return True


def _waiting() -> str | None:
    """The operator who gave the right password in this browser and owes the second factor."""
    waiting: str | None = services.sessions.waiting(str(cookie.get("token", "")))
    return waiting


def signed_in(
    name: str,
    how: str = "",
    *,
    verified_at: datetime | None = None,
    sign_on: SignOn | None = None,
) -> None:
    """Open a session for this operator, who is `g.operator` from then on. See `begin_session`."""
    begin_session(name, verified_at=verified_at, sign_on=sign_on)
    g.operator = services.sessions.find(cookie["token"])
    if notices := services.accounts.take_notices(name):
        changes = formats_of(services.settings.locale).sentence(" ".join(notices), shown_zone())
        flash(NOTICE.format(changes), "warn")
    by_provider = services.sessions.sign_on_of(cookie["token"]).identity
    if services.settings.local_sign_in or by_provider:
        log_event(Kind.SIGNED_IN, f"signed in {how}".strip(), name)
    else:
        logger.warning("break-glass account signed in %s: %s", how, name)
        log_event(Kind.SIGNED_IN, f"break-glass account signed in {how}".strip(), name)


def _wrong() -> str:
    """The same for a wrong password as for an account that needs the provider."""
    settings = services.settings
    return WRONG if settings.local_sign_in else WRONG_WAY.format(settings.oidc_name)


def sign_in_on_the_way() -> ResponseReturnValue | None:
    """The sign-in form in the place of a form that was sent by nobody, with all that was sent; None
    once signed in. Nothing of it is carried out, kept here, or in an address."""
    refuse_foreign_pages()
    form = SignInForm(prefix=SIGN_IN_PREFIX)
    kept = kept_fields(SIGN_IN_PREFIX, PREFIX)
    if name := _waiting():
        return _second_step_on_the_way(name, kept)
    if form.name.name not in request.form:
        return _page(form, SIGNED_OUT, kept), 401
    if refusal := _sign_in(form):
        return _page(form, refusal.sentence, kept), refusal.status, refusal.headers
    if name := _waiting():
        return _second_step_on_the_way(name, kept)
    return None


def _second_step_on_the_way(name: str, kept: list[tuple[str, str]]) -> ResponseReturnValue | None:
    form, action = ProofForm(), this_address()
    if form.passkey.name not in request.form:
        return proof_page(form, action, kept=kept, signing_in=name), 401
    if _somebody_else(form, name):
        return _page(SignInForm(formdata=None, prefix=SIGN_IN_PREFIX), SIGNED_OUT, kept), 401
    if refusal := _finish(form, name):
        page = proof_page(form, action, refusal.sentence, kept, signing_in=name)
        return page, refusal.status, refusal.headers
    return None


def sign_in_before_upload(upload: Upload) -> ResponseReturnValue:
    """The sign-in form in the place of a form with a file, which is discarded; once signed in, the
    page of the form's address."""
    refuse_foreign_pages()
    discard_body(upload.largest())
    form = SignInForm(formdata=None, next=local_path(this_address()))
    return _page(form, FILE_NOT_SENT), 401


def sign_in_refused(sentence: str) -> str:
    """The sign-in page, with why the provider signed nobody in."""
    return _page(SignInForm(formdata=None), sentence)


def sign_in_again() -> str:
    """The sign-in form with the name that was sent in one that is too old."""
    return _page(SignInForm(), OPEN_TOO_LONG)


def _page(
    form: SignInForm, error: str | None, kept: Sequence[tuple[str, str]] | None = None
) -> str:
    """`kept`: the fields of a form that was sent without a session, which go along."""
    in_dialog = kept is not None and "HX-Request" in request.headers
    return render_template(
        "auth/_sign_in.html" if in_dialog else "auth/sign_in.html",
        form=form,
        error=error,
        kept=kept or (),
        action=url_for("web.sign_in") if kept is None else this_address(),
        in_dialog=in_dialog,
        provider=services.settings.oidc_name if services.openid_provider else "",
        local=services.settings.local_sign_in,
    )
