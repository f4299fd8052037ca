"""Signing in and out, and the gate: nothing is shown to anyone who is not signed in."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired

from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.security import refuse_foreign_pages
from cqrs_app.interfaces.web.uploading import Upload, discard_body
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.throttle import sentence_for
from cqrs_app.services import services

View = TypeVar("View", bound=Callable[..., Any])

HOME = "/"
LONGEST_RETURN_PATH = 2_000
WRONG = "The name or the password is wrong, or the account is disabled."
TOO_MANY = "Too many attempts to sign in. Wait {} s, then try again."
OPEN_TOO_LONG = "This page was open too long, so you were not signed in. Enter your password again."
INCOMPLETE = "Enter your name and password."
SIGNED_OUT = "You are signed out, so nothing was sent. What you entered is kept: sign in to go on."
FILE_NOT_SENT = "You are signed out, so nothing was uploaded. Sign in, then choose the file again."
SIGNED_IN = "You are signed in again. Nothing was sent yet: check the form and send it."
SIGN_IN_PREFIX = "sign-in-"
"""Of the fields of the sign-in form that stands in another form's place."""

logger = logging.getLogger(__name__)


def public(view: View) -> View:
    """Mark a view that anyone may see; all others need a signed-in operator."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def for_programs(view: View) -> View:
    """Mark a public view for programs: it needs no store to find out whose a cookie is."""
    view.is_for_programs = True  # type: ignore[attr-defined]
    return public(view)


def background(view: View) -> View:
    """Mark a view that pages request by themselves: it does not keep an idle session alive."""
    view.is_background = True  # type: ignore[attr-defined]
    return view


def keeps_form(
    again: Callable[..., str | None], *, file: Upload | None = None
) -> Callable[[View], View]:
    """Mark a view that a form is sent to: where it is not carried out, `again(sentence=...,
    possible=..., **arguments of the view)` shows it with all that was sent; None shows an error
    page. Whoever was signed out meanwhile signs in at the form's own address, and what they sent
    goes along. A form with a `file` does not: the file is not read."""

    def mark(view: View) -> View:
        view.form_again = again  # type: ignore[attr-defined]
        view.takes_file = file  # type: ignore[attr-defined]
        return view

    return mark


def form_again(sentence: str, *, possible: bool = True) -> str | None:
    """The form that was sent, with what was sent and this sentence; None where nobody is signed in
    or the view shows none."""
    view = current_app.view_functions.get(request.endpoint or "")
    again: Callable[..., str | None] | None = getattr(view, "form_again", None)
    if again is None or request.method != "POST" or not g.get("operator"):
        return None
    return again(sentence=sentence, possible=possible, **(request.view_args or {}))


def init_auth(app: Flask) -> None:
    """Close the application: `g.operator` is the Operator who asks, or None on public pages.

    Needs the services `accounts`, `sessions`, `throttle` and `sign_in_rates` by the time of the
    first request. Templates get it as `operator`.
    """
    app.before_request(_require_operator)
    app.context_processor(lambda: {"operator": g.get("operator")})


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
    next = HiddenField()


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """The form; with the right name and password, a new session."""
    form = SignInForm(next=local_path(request.args.get("next", "")))
    if request.method == "GET":
        return redirect(local_path(form.next.data)) if g.operator else _page(form, None)
    if refusal := _begin_session(form):
        return _page(form, refusal.sentence), refusal.status, refusal.headers
    return redirect(local_path(form.next.data), 303)


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session on the server: a copy of the cookie is worthless from now on."""
    _sessions().revoke(cookie["token"])
    cookie.clear()
    response = redirect(url_for("web.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def local_path(address: str | None) -> str:
    """The address if it is a page of this console, else the home page."""
    if not address or len(address) > LONGEST_RETURN_PATH:
        return HOME
    # Browsers read a backslash as a slash and leave control characters out.
    if not address.startswith("/") or re.search(r"[\\\x00-\x20\x7f-\xa0\u2028\u2029]", address):
        return HOME
    if address.startswith("//") or urlsplit(address).path in ("/sign-in", "/sign-out"):
        return HOME
    return address


def _require_operator() -> ResponseReturnValue | None:
    if request.endpoint == "static" or request.blueprint not in (None, bp.name):
        return None  # another blueprint has a door of its own
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "is_for_programs", False):
        return None
    g.operator = _operator(active=not getattr(view, "is_background", False))
    # Without a view the answer is "not found" or the like, and tells nothing.
    if g.operator or view is None or getattr(view, "is_public", False):
        return None
    if request.method == "POST" and hasattr(view, "form_again"):
        upload: Upload | None = getattr(view, "takes_file", None)
        return _sign_in_before_upload(upload) if upload else _sign_in_on_the_way()
    address = url_for("web.sign_in", next=local_path(_wanted_page()))
    if "HX-Request" in request.headers:
        # A redirect would put the sign-in page into the fragment's place.
        return Response("You are signed out.", 401, {"HX-Redirect": address})
    return redirect(address, 303)


def _operator(*, active: bool) -> Operator | None:
    token = cookie.get("token")
    if not isinstance(token, str):
        return None
    operator = _sessions().find(token, active=active)
    if operator is None:
        cookie.pop("token")
    return operator


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """Why nobody was signed in; `wait`: the seconds until another attempt counts."""

    sentence: str
    status: int = 422
    wait: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.wait)} if self.wait else {}


def _begin_session(form: SignInForm) -> SignInRefused | None:
    """Open a session for whoever the form names, who is `g.operator` from then on."""
    if not form.validate():
        return SignInRefused(OPEN_TOO_LONG if form.csrf_token.errors else INCOMPLETE)
    name, password = form.name.data or "", form.password.data or ""
    address = request.remote_addr or ""
    throttle = services.throttle
    if wait := services.sign_in_rates.wait_of(address):
        return SignInRefused(TOO_MANY.format(wait), 429, wait)
    if wait := throttle.begin(name, address):
        return SignInRefused(sentence_for(wait), 429, wait)
    operator = services.accounts.verify(name, password)
    if operator is None:
        logger.warning("sign-in refused for %r from %s", name[:100], address)
        return SignInRefused(WRONG)
    throttle.succeeded(name, address)
    if "token" in cookie:
        _sessions().revoke(cookie["token"])
    # Everything in the cookie goes, the form token too: nobody can have planted it.
    cookie.clear()
    g.pop("csrf_token", None)
    cookie["token"] = _sessions().open(operator.name, address, request.user_agent.string)
    g.operator = operator
    logger.info("%s signed in from %s", operator.name, address)
    return None


def _sign_in_on_the_way() -> ResponseReturnValue:
    """The sign-in form in the place of a form that was sent by nobody, with all that was sent; once
    signed in, that form again. Nothing of it is carried out, kept here, or in an address."""
    refuse_foreign_pages()
    form = SignInForm(prefix=SIGN_IN_PREFIX)
    kept = [
        (name, text)
        for name, texts in request.form.lists()
        if name != "csrf_token" and not name.startswith(SIGN_IN_PREFIX)
        for text in texts
    ]
    if form.name.name not in request.form:
        return _page(form, SIGNED_OUT, kept), 401
    if refusal := _begin_session(form):
        return _page(form, refusal.sentence, kept), refusal.status, refusal.headers
    return make_response(form_again(SIGNED_IN))


def _sign_in_before_upload(upload: Upload) -> ResponseReturnValue:
    """The sign-in form in the place of a form with a file, which is discarded; once signed in, the
    page of the form's address."""
    refuse_foreign_pages()
    discard_body(upload.largest())
    form = SignInForm(formdata=None, next=local_path(request.path))
    return _page(form, FILE_NOT_SENT), 401


def sign_in_again() -> str:
    """The sign-in form with the name that was sent in one that is too old."""
    return _page(SignInForm(), OPEN_TOO_LONG)


def _wanted_page() -> str:
    """The page to come back to: for an action the one it was started from."""
    if "HX-Request" in request.headers:
        page = request.headers.get("HX-Current-URL", "")
    elif request.method == "GET":
        return request.full_path.removesuffix("?")
    else:
        page = request.headers.get("Referer", "")
    parts = urlsplit(page)
    if parts.netloc != request.host:
        return HOME
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


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
        action=url_for("web.sign_in") if kept is None else request.full_path.removesuffix("?"),
        in_dialog=in_dialog,
    )


def _sessions() -> Sessions:
    return services.sessions
