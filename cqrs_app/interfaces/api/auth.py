"""Bearer tokens (RFC 6750), checked before anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue

from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.limits import RequestLimits
from cqrs_app.interfaces.api.problems import Unusable, problem
from cqrs_app.interfaces.web.client_address import known_address
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.services import services

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

CHALLENGE = 'Bearer realm="Countersign"'
NOT_SAID_WHO = (
    "This needs a token: send “Authorization: Bearer <token>”. An administrator makes one on the "
    "page API tokens, or with `flask tokens create`."
)
UNKNOWN = "This token is not known, has expired or was revoked. Nothing was done."
WRONG_NETWORK = "This token does not work from your network. Nothing was done."
TOO_LARGE = (
    "A batch counts as one request per item, and a token has {} a minute. Nothing was done. "
    "Send it in parts."
)
TOO_MANY = "Too many requests in one minute. Nothing was done. Wait {} s, then send it again."


def public(view: View) -> View:
    """Let an endpoint be read without a token."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


@bp.before_request
def require_token() -> ResponseReturnValue | None:
    """Require a token for every endpoint that is not public; `g.token` is the Token."""
    view = current_app.view_functions.get(request.endpoint or "")
    return None if getattr(view, "is_public", False) else identify()


def identify() -> Response | None:
    """Find out whose token it is, or return why the request is refused."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        return problem(401, "no_token", NOT_SAID_WHO, headers={"WWW-Authenticate": CHALLENGE})
    limits = _limits()
    token = services.tokens.find(secret.strip())
    if token is None:
        wait = limits.wait_of_guess(request.remote_addr or "")
        challenge = {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'}
        return (
            _too_many(wait) if wait else problem(401, "unknown_token", UNKNOWN, headers=challenge)
        )
    if not token.works_from(known_address()):
        return problem(403, "wrong_network", WRONG_NETWORK)
    g.token = token
    if token.last_used_at is None:
        services.audit.record(Kind.TOKEN_FIRST_USED, token.actor.name, token.actor.name)
    wait = limits.wait_of(token.name)
    return _too_many(wait) if wait else None


def count_batch(items: int) -> None:
    """Count a batch as its commands or queries. Raises Unusable if there are too many."""
    limits, more = _limits(), items - 1
    if not limits.takes(items):
        raise Unusable(
            413, "too_large", TOO_LARGE.format(services.settings.api_requests_per_minute)
        )
    if wait := limits.wait_of(g.token.name, more):
        raise Unusable(429, "too_many_requests", TOO_MANY.format(wait), retry_after=wait)


def _limits() -> RequestLimits:
    return cast("RequestLimits", current_app.extensions["request_limits"])


def _too_many(wait: int) -> Response:
    return problem(
        429, "too_many_requests", TOO_MANY.format(wait), headers={"Retry-After": str(wait)}
    )
