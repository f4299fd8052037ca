"""The one map from errors to what the operator sees."""

from __future__ import annotations

import logging

from flask import Flask, Response, g, render_template, request, session
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, SecurityError

from cqrs_app.interfaces.web.auth import form_again
from cqrs_app.interfaces.web.security import StaleForm
from cqrs_app.interfaces.web.sign_in import sign_in_again
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import (
    BeyondHead,
    BusError,
    Busy,
    CommandReused,
    Invalid,
    NotAllowed,
    Refused,
    SwitchedOff,
    TimedOut,
    TooStale,
    Unavailable,
    UnknownMessage,
    VersionConflict,
)
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.tracing.live import current_trace_id
from cqrs_app.services import kernel

STATUS: dict[type[BusError], int] = {
    Invalid: 422,
    Refused: 422,
    CommandReused: 422,
    NotAllowed: 403,
    UnknownMessage: 404,
    VersionConflict: 409,
    BeyondHead: 400,
    TooStale: 503,
    Busy: 503,
    SwitchedOff: 503,
    TimedOut: 503,
    Unavailable: 503,
}
TITLES = {
    400: "This request cannot be understood",
    401: "This needs a token",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This cannot be done here",
    409: "This has changed meanwhile",
    413: "This is too large",
    415: "This is not JSON",
    422: "This cannot be used",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Temporarily unavailable",
}
UNTRUSTED_HOST = "This console is not served under this host name. See TRUSTED_HOSTS.\n"
NEXT = {
    404: "Check the address, or search for what you were looking for.",
    429: "Wait a moment, then try again.",
    500: "Try again: an action is carried out once, however often it is sent. If it happens again, "
    "give the number below to your administrator.",
    503: "Nothing was lost. Try again in a moment.",
}
STALE_FORM_AGAIN = (
    "This form was opened in an earlier session, so nothing was changed. "
    "Check the form, then send it."
)
UNREAD = (400, 413)
"""The request could not be read, so its values cannot be shown again."""
FINAL = (403, 404)
"""Sending the same again would not help."""

RETRY_SECONDS = 5
NEXT_TRY = f"This page tries again every {RETRY_SECONDS} seconds."

logger = logging.getLogger("countersign")


def count_as_refused(error: BusError) -> None:
    """Count this request by its code: nothing is wrong where a client asks for more than there is
    yet."""
    if isinstance(error, TooStale):
        g.counted_as = error.code


def status_of(error: BusError) -> int:
    return next((status for cls, status in STATUS.items() if isinstance(error, cls)), 500)


def init_errors(app: Flask) -> None:
    """Every error becomes a page that says what happened, what was kept, what to do next."""

    @app.errorhandler(BusError)
    def _bus(error: BusError) -> ResponseReturnValue:
        count_as_refused(error)
        return error_page(status_of(error), error.sentence)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400:
            return error.get_response()
        if isinstance(error, SecurityError):
            # Without a trusted host no address can be built, so there is no page either.
            return Response(UNTRUSTED_HOST, 400, content_type="text/plain; charset=utf-8")
        if isinstance(error, StaleForm) and (page := _stale_form_again()):
            return page, 422
        # The framework's own sentences say nothing about this console.
        plain = error.description == type(error).description
        text = TITLES.get(error.code, "") + "." if plain else error.description or ""
        return error_page(error.code, text)

    def _database(error: Exception) -> ResponseReturnValue:
        number = new_id()
        logger.error("%s: a store does not answer: %s", number, error)
        return error_page(503, _unavailable(), number, retries=request.method == "GET")

    for trouble in DATABASE_TROUBLE:
        app.register_error_handler(trouble, _database)

    @app.errorhandler(Exception)
    def _unexpected(error: Exception) -> ResponseReturnValue:
        number = new_id()
        logger.error("%s: a page failed", number, exc_info=error)
        report_page(error, number)
        text = "Something went wrong here. What you sent was either done whole or not at all."
        return error_page(500, text, number)


def report_page(error: Exception, number: str) -> None:
    """Report a request that failed, by its route. What was entered or searched for is left out."""
    entered = (*request.form.values(), *request.args.values(), *(request.view_args or {}).values())
    route = f"{request.method} {request.url_rule or 'unknown address'}"
    kernel.report(error, kind="page", place=route, reference=number, hidden=map(str, entered))


def _stale_form_again() -> str | None:
    """The form that was submitted with a token of another session."""
    return sign_in_again() if request.endpoint == "web.sign_in" else form_again(STALE_FORM_AGAIN)


def _unavailable() -> str:
    """What is unavailable while a store is down, and what is kept."""
    # Everything else that needs the write store comes after who is asking.
    store = "A database" if g.get("operator") else "The write store"
    kept = "You stay signed in. Everything saved is kept."
    if "token" not in session:
        kept = "Everything saved is kept."
    if request.method != "GET":
        kept += " What you sent was either done whole or not at all."
    return f"{store} does not answer, so this page is unavailable. {kept}"


def error_page(
    status: int, text: str, number: str | None = None, *, retries: bool = False
) -> ResponseReturnValue:
    """The page for this status; for a submitted form, the form with its values. `retries`: the page
    reloads by itself.
    """
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    if status not in UNREAD and not g.get("failed_before"):
        g.failed_before = True  # the form itself may be what cannot be shown
        sentence = f"{text} Number: {number}" if number else text
        if page := form_again(sentence, possible=status not in FINAL):
            return page, status, headers
    page = render_template(
        "errors/error.html",
        status=status,
        title=TITLES.get(status, "This did not work"),
        text=text,
        next=NEXT_TRY if retries else NEXT.get(status, ""),
        # Not `number`, which is a function of every template.
        reference=number,
        trace_id=current_trace_id() if number else "",
        signed_in=g.get("operator") is not None,
        retry_seconds=RETRY_SECONDS if retries else None,
    )
    return page, status, headers
