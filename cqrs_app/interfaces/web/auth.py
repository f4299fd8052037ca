"""Signing in and out, and the gate: nothing is shown to anyone who is not signed in."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired

from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.platform.operators.throttle import sentence_for
from cqrs_app.services import services

View = TypeVar("View", bound=Callable[..., Any])

HOME = "/"
LONGEST_RETURN_PATH = 2_000
WRONG = "The name or the password is wrong, or the account is disabled."
TOO_MANY = "Too many attempts to sign in. Wait {} s, then try again."
INCOMPLETE = "Enter your name and password."

logger = logging.getLogger(__name__)


def public(view: View) -> View:
    """Mark a view that anyone may see; all others need an operator who is signed in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def background(view: View) -> View:
    """Mark a view that pages ask for by themselves: it keeps no session from ending idle."""
    view.is_background = True  # type: ignore[attr-defined]
    return view


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
    """The form; with the right name and password a new session."""
    form = SignInForm(next=local_path(request.args.get("next", "")))
    if request.method == "GET":
        return redirect(local_path(form.next.data)) if g.operator else _page(form, None)
    if not form.validate():
        return _page(form, INCOMPLETE), 422
    name, password = form.name.data or "", form.password.data or ""
    address = request.remote_addr or ""
    throttle = services.throttle
    if wait := services.sign_in_rates.wait_of(address):
        return _page(form, TOO_MANY.format(wait)), 429, {"Retry-After": str(wait)}
    if wait := throttle.begin(name, address):
        return _page(form, sentence_for(wait)), 429, {"Retry-After": str(wait)}
    accounts = services.accounts
    operator = accounts.verify(name, password)
    if operator is None:
        logger.warning("sign-in refused for %r from %s", name[:100], address)
        return _page(form, WRONG), 422
    throttle.succeeded(name, address)
    _begin_session(operator, address)
    return redirect(local_path(form.next.data), 303)


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session where it is kept: a copy of the cookie is worth nothing from now on."""
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
    g.operator = _operator(active=not getattr(view, "is_background", False))
    # Without a view the answer is "not found" or the like, and tells nothing.
    if g.operator or view is None or getattr(view, "is_public", False):
        return None
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


def _begin_session(operator: Operator, address: str) -> None:
    if "token" in cookie:
        _sessions().revoke(cookie["token"])
    # All that was in the cookie goes, the form token too: nobody can have planted it.
    cookie.clear()
    cookie["token"] = _sessions().open(operator.name, address, request.user_agent.string)
    logger.info("%s signed in from %s", operator.name, address)


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


def _page(form: SignInForm, error: str | None) -> str:
    return render_template("auth/sign_in.html", form=form, error=error)


def _sessions() -> Sessions:
    return services.sessions
