"""Every error as problem+json (RFC 9457): what happened, what was kept, what to do next."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from cqrs_app.interfaces.api.answers import encoded
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.web.errors import TITLES, count_as_refused, report_page, status_of
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import BusError, Invalid, TooStale, VersionConflict
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.tracing.live import current_trace_id
from cqrs_app.platform.catalogue.problems import KINDS
from cqrs_app.platform.runtime.pending import EventsSince, events_since
from cqrs_app.services import kernel

MEDIA_TYPE = "application/problem+json"
FAULT = "Something went wrong in the console. A command was either done whole or not at all."
NO_DATABASE = (
    "The database does not answer. A command was either done whole or not at all: send it again "
    "with the same Idempotency-Key."
)
RETRY_SECONDS = "2"

logger = logging.getLogger("countersign")


def problem(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """An error response. `code` is for programs, `detail` a sentence for people."""
    body = _body(status, code, detail) | more
    return Response(encoded(body), status, headers, mimetype=MEDIA_TYPE)


def described(error: BusError) -> dict[str, Any]:
    """The body of the problem that describes an error of a bus."""
    body = _body(status_of(error), error.code, error.sentence)
    if isinstance(error, Invalid):
        body["detail"] = "Some fields cannot be used. Nothing was changed."
        body["errors"] = [
            {"field": field, "detail": text} for field, text in error.problems.items()
        ]
    if isinstance(error, VersionConflict):
        body |= _since(error)
    if isinstance(error, TooStale):
        body |= {"position": error.position, "lag_seconds": round(error.lag_seconds, 3)}
    return body


def _body(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"/catalogue/problems#{code}" if code in KINDS else "/catalogue/problems#refused",
        "title": TITLES.get(status, "This did not work"),
        "status": status,
        "detail": detail,
        "code": code,
    }


def _since(conflict: VersionConflict) -> dict[str, Any]:
    with kernel.store.reader.connect() as connection:
        since = events_since(
            EventsSince(stream=conflict.stream, version=conflict.expected), connection
        )
    return {
        "stream": conflict.stream,
        "version": since[-1].version if since else conflict.actual or conflict.expected,
        "events": [
            {
                "type": each.type,
                "version": each.version,
                "operator": each.operator,
                "recorded_at": each.recorded_at,
            }
            for each in since
        ],
    }


class Unusable(Exception):
    """A request that could not be read as a message."""

    def __init__(self, status: int, code: str, detail: str, *, retry_after: int = 0) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.body = _body(status, code, detail)
        self.headers = {"Retry-After": str(retry_after)} if retry_after else None


@bp.errorhandler(BusError)
def _bus(error: BusError) -> ResponseReturnValue:
    count_as_refused(error)
    status = status_of(error)
    headers = {"Retry-After": RETRY_SECONDS} if status == 503 else None
    return Response(encoded(described(error)), status, headers, mimetype=MEDIA_TYPE)


@bp.errorhandler(Unusable)
def _unusable(error: Unusable) -> ResponseReturnValue:
    return problem(error.status, error.code, error.detail, headers=error.headers)


def _database(error: Exception) -> ResponseReturnValue:
    logger.error("the database does not answer: %s", error)
    return problem(503, "unavailable", NO_DATABASE, headers={"Retry-After": RETRY_SECONDS})


for trouble in DATABASE_TROUBLE:
    bp.register_error_handler(trouble, _database)


@bp.errorhandler(Exception)
def _unexpected(error: Exception) -> ResponseReturnValue:
    number = new_id()
    logger.error("%s: an endpoint failed", number, exc_info=error)
    report_page(error, number)
    return problem(500, "failed", FAULT, number=number, trace_id=current_trace_id())


_CODES = {
    400: "malformed",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
}
_DETAILS = {
    404: "There is nothing at this address. See /api/v1/openapi.json for what there is.",
    413: "This is larger than is taken at once. Nothing was changed. Send it in parts.",
}


@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]  # a redirect of the router
    detail = _DETAILS.get(status, error.description or TITLES.get(status, ""))
    headers = {
        name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")
    }
    return problem(status, _CODES.get(status, "malformed"), detail, headers=headers)


@bp.before_app_request
def _unrouted() -> ResponseReturnValue | None:
    # Without an endpoint there is no blueprint whose handlers apply.
    if request.routing_exception and request.path.startswith(f"{bp.url_prefix}/"):
        return _http(request.routing_exception)
    return None
