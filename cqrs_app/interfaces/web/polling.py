"""Responses to polls: nothing is sent, and nothing swapped, if nothing has changed. An entity tag
has up to two parts: one for what the fragment was made from, if that is known, and one for its
content. A poll that repeats the first part is answered without a query, and for nearly all polls
(see `init_polling`) before the framework does its work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import SecurityError
from werkzeug.wsgi import get_host

from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.change_token import ChangeToken
from cqrs_app.platform.operators.operator import Operator
from cqrs_app.platform.operators.sessions import Sessions
from cqrs_app.services import services, services_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TAG = "HX-PTag"
SOON = ((10, "500ms"), (60, "2s"))
"""How often a page polls while something changes by itself, by how many seconds it has been
changing.
"""
USUALLY = "5s"
NOTHING_NEW = [("Cache-Control", "no-store"), ("Vary", "Cookie")]


def init_polling(app: Flask, polls: Mapping[str, type[Query]]) -> None:
    """Answer polls of these URLs that find nothing new as early as possible. Called before
    `init_security`, which wraps it, and after the services `sessions` and `change_token` exist.
    """
    app.wsgi_app = PollShortcut(app, polls)  # type: ignore[method-assign, assignment]


def poll_every(moving_since: datetime | None, usually: str = USUALLY) -> str:
    """How often a page polls: every half second while something changes by itself, then less and
    less. `moving_since` is None if nothing does.
    """
    if moving_since is None:
        return usually
    seconds = (datetime.now(UTC) - moving_since).total_seconds()
    return next((every for limit, every in SOON if seconds < limit), usually)


def fragment(html: str) -> Response:
    """The fragment with a tag of its content; 204 if the page has this content already."""
    # A token of its forms differs each time, and is as good as the one before.
    return _tagged(html, _digest(html.replace(g.get("csrf_token", "") or " ", " ")))


def following(query: type[Query], render: Callable[[], str]) -> Response:
    """The fragment that `render` makes from answers to this query and from the URL alone. It must
    depend on nothing else, the time included: as long as the query's projections and the log have
    not moved, `PollShortcut` answers the poll before it arrives here.
    """
    standing = services.change_token
    # Read before the answer it is to stand for.
    made_from = _made_from(standing, query, g.operator, request.environ)
    html = render()
    return _tagged(html, f"{made_from}.{_digest(html)}")


class PollShortcut:
    """Answers polls before the application: a console with many open pages answers little else than
    polls without news. The session is looked up each time, as for every other request; anything
    unusual is left to the application.
    """

    def __init__(self, app: Flask, polls: Mapping[str, type[Query]]) -> None:
        self._app = app
        self._next: WSGIApplication = app.wsgi_app
        self._polls = polls
        self._sessions: Sessions = services_of(app).sessions
        self._change_token: ChangeToken = services_of(app).change_token

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        query = self._polls.get(environ["PATH_INFO"])
        if query and environ["REQUEST_METHOD"] == "GET" and self._knows_all(query, environ):
            start("204 No Content", NOTHING_NEW.copy())
            return ()
        return self._next(environ, start)

    def _knows_all(self, query: type[Query], environ: WSGIEnvironment) -> bool:
        held = environ.get("HTTP_HX_PTAG", "").partition(".")[0]
        if not held:
            return False
        try:
            get_host(environ, self._app.config["TRUSTED_HOSTS"])
            operator = self._operator(environ)
            return (
                operator is not None
                and operator.may(query.declaration.permission)
                and held == _made_from(self._change_token, query, operator, environ)
            )
        except (DBAPIError, PoolTimeout, SecurityError):
            return False

    def _operator(self, environ: WSGIEnvironment) -> Operator | None:
        request = self._app.request_class(environ)
        session = self._app.session_interface.open_session(self._app, request)
        token = session.get("token") if session else None
        return self._sessions.find(token, active=False) if isinstance(token, str) else None


def _made_from(
    standing: ChangeToken, query: type[Query], operator: Operator, environ: WSGIEnvironment
) -> str:
    stands = standing.of(*query.declaration.reads)
    address = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
    # Somebody else, or another list in the same place of the page, may be shown another fragment.
    return _digest(f"{stands}\n{operator.name}\n{operator.role}\n{address}")


def _tagged(html: str, tag: str) -> Response:
    unchanged = request.headers.get(TAG, "").rpartition(".")[2] == tag.rpartition(".")[2]
    return Response(None if unchanged else html, 204 if unchanged else 200, {TAG: tag})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
