"""The gate: nothing is shown to anyone who is not signed in, and only the page that sets it up to
those who have something to set up first."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, make_response, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.web.auth import form_again, local_path, this_address
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.client_address import known_address
from cqrs_app.interfaces.web.host_users import admit, operator_of
from cqrs_app.interfaces.web.sign_in import sign_in_before_upload, sign_in_on_the_way
from cqrs_app.interfaces.web.uploading import Upload
from cqrs_app.mounting import mounted_in
from cqrs_app.networks import is_in
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.sessions import SignOn
from cqrs_app.services import services

WRONG_NETWORK = "The role {} cannot be used from your network. Ask an administrator."
SIGNED_IN = "You are signed in again. Nothing was sent yet: check the form and send it."
NOT_SHOWN = "You are signed in again, but this form is not open to you. Nothing was sent."

logger = logging.getLogger(__name__)


def init_auth(app: Flask) -> None:
    """Close the application: `g.operator` is the Operator who asks, or None on public pages.

    Needs the services `accounts`, `sessions`, `throttle` and `sign_in_rates` by the time of the
    first request. Templates get it as `operator`.
    """
    app.before_request(_require_operator)
    app.context_processor(lambda: {"operator": g.get("operator")})
    app.jinja_env.globals["second_factor_required"] = second_factor_required


def second_factor_required() -> bool:
    """Whether the role of who is signed in needs a second factor that the OpenID provider did not
    check."""
    roles = {g.operator.role, g.operator.counts_as}
    needed = not roles.isdisjoint(services.settings.roles_with_second_factor)
    return needed and not _sign_on().second_factor


def _sign_on() -> SignOn:
    """What the session keeps of an OpenID provider."""
    return services.sessions.sign_on_of(cookie["token"])


def _require_operator() -> ResponseReturnValue | None:
    if request.endpoint == "static" or request.blueprint not in (None, bp.name):
        return None  # another blueprint has a door of its own
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "is_for_programs", False):
        return None
    mounted, active = mounted_in(), not getattr(view, "is_background", False)
    g.operator = operator_of(mounted, active=active) if mounted else _operator(active=active)
    # Without a view the answer is "not found" or the like, and tells nothing.
    if view is None or getattr(view, "is_public", False):
        return None
    if g.operator or (mounted and admit(mounted)):
        _require_network(g.operator)
        return None if getattr(view, "sets_up", False) else _set_up_first(g.operator)
    if mounted:
        wanted = local_path(_wanted_page())
        address = mounted.ask(lambda users: users.sign_in_address(wanted))
        return _whole_page(address, "You are signed out.", 401)
    if request.method == "POST" and hasattr(view, "form_again"):
        upload: Upload | None = getattr(view, "takes_file", None)
        if upload:
            return sign_in_before_upload(upload)
        if asked := sign_in_on_the_way():
            return asked
        _require_network(g.operator)
        if asked := _set_up_first(g.operator):
            return asked
        page = form_again(SIGNED_IN)
        return make_response(page) if page else abort(403, NOT_SHOWN)
    address = url_for("web.sign_in", next=local_path(_wanted_page()))
    return _whole_page(address, "You are signed out.", 401)


def _require_network(operator: Operator) -> None:
    """Refuse who comes from a network that their role may not be used from, except to sign out. A
    custom role may be used from where the role that it is based on may."""
    listed = services.settings.networks_of_roles
    networks = listed.get(operator.role) or listed.get(operator.counts_as, "")
    address = known_address()
    if not is_in(address, networks) and request.endpoint != "web.sign_out":
        place = request.remote_addr
        logger.warning("%s of role %s refused from %s", operator.name, operator.role, place)
        abort(403, WRONG_NETWORK.format(operator.role))


def _set_up_first(operator: Operator) -> ResponseReturnValue | None:
    """Lead to what the operator must set up before anything else, or None."""
    if operator.must_change_password and not _sign_on().identity:
        address = url_for("web.account_password", next=local_path(_wanted_page()))
        return _whole_page(address, "Choose a password first.", 403)
    if not operator.has_second_factor and second_factor_required():
        return _whole_page(url_for("web.second_factor"), "Set up a second factor first.", 403)
    return None


def _whole_page(address: str, text: str, status: int) -> ResponseReturnValue:
    if "HX-Request" in request.headers:
        # A redirect would put the page into the fragment's place.
        return Response(text, status, {"HX-Redirect": address})
    return redirect(address, 303)


def _operator(*, active: bool) -> Operator | None:
    token = cookie.get("token")
    if not isinstance(token, str):
        return None
    operator = services.sessions.find(token, active=active)
    if operator is None and services.sessions.waiting(token) is None:
        cookie.pop("token")
    return operator


def _wanted_page() -> str:
    """The page to come back to: for an action the one it was started from."""
    if "HX-Request" in request.headers:
        page = request.headers.get("HX-Current-URL", "")
    elif request.method == "GET":
        return this_address()
    else:
        page = request.headers.get("Referer", "")
    parts = urlsplit(page)
    if parts.netloc != request.host:
        return url_for("web.home")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
