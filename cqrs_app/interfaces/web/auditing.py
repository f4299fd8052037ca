"""Records what requests tell about security: where they come from, and which were denied."""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request
from flask import session as cookie

from cqrs_app.interfaces.web.ask import CHANNEL
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.audit.origin import Origin, origin
from cqrs_app.services import services

REFUSED = {401: Kind.TOKEN_REFUSED, 403: Kind.DENIED, 429: Kind.RATE_LIMITED}


def init_audit(app: Flask) -> None:
    """Note where each request comes from, and record those that are denied: pages, questions and
    commands, with or without a token. Comes before whatever finds out who asks."""
    app.before_request(note_origin)

    @app.after_request
    def _record_refusal(response: Response) -> Response:
        kind = REFUSED.get(response.status_code)
        if kind is Kind.TOKEN_REFUSED and "Authorization" not in request.headers:
            return response  # nobody is signed in, and nobody claimed to be
        if kind is not None:
            services.audit.record(kind, _who(), _about(), success=False)
        return response


def note_origin() -> None:
    """Where the request comes from, and the session it belongs to now."""
    of_pages = request.blueprint in (None, bp.name)
    token = cookie.get("token") if of_pages and request.endpoint != "static" else None
    view = current_app.view_functions.get(request.endpoint or "")
    origin.set(
        Origin(
            channel=CHANNEL if of_pages else str(request.blueprint),
            address=request.remote_addr or "",
            session=services.sessions.key_of(token) if isinstance(token, str) else "",
            by_person=not getattr(view, "is_background", False),
        )
    )


def _who() -> str:
    if "token" in g:
        return str(g.token.actor.name)
    return g.operator.name if g.get("operator") else ""


def _about() -> str:
    """The page or the message, never what was asked of it."""
    name = (request.view_args or {}).get("name", "")
    return f"{request.endpoint or 'unknown address'} {name}".strip()
