"""The processes' log on stderr: one line per record, as text or JSON."""

from __future__ import annotations

import logging
import re
import sys
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import IO, Any

import msgspec
from flask import Flask, Response, g, has_request_context, request

from cqrs_app.kernel.commands.context import new_id, running_command
from cqrs_app.kernel.measurements.recorder import Recorder
from cqrs_app.kernel.statistics import Statistics
from cqrs_app.kernel.tracing.live import LiveSpan, current_trace_id
from cqrs_app.kernel.tracing.spans import caller_of, trace_id_of
from cqrs_app.kernel.tracing.tracer import Tracer
from cqrs_app.settings import Settings

OURS = ("countersign", "cqrs_app")
ACCESS = logging.getLogger("countersign.access")
IDS = ("request_id", "command_id", "trace_id")
WEB = "web"
UNKNOWN_ROUTE = "(none)"
MAX_REPEATS = 5
MAX_KINDS = 1_000
REPEATS_SECONDS = 60.0
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


def configure(settings: Settings, stream: IO[str] | None = None) -> None:
    """Send all log records of this process to `stream`: ours from LOG_LEVEL, others from
    warnings."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Json() if settings.log_format == "json" else Text())
    handler.addFilter(Repetitions())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level.upper())
    # gunicorn installs a handler with another format.
    server = logging.getLogger("gunicorn.error")
    server.handlers.clear()
    server.propagate = True


SECRET = "secret"  # noqa: S105 - a name
"""The part of an address that lets whoever knows it do something."""


def init_requests(
    app: Flask, recorder: Recorder, statistics: Statistics, tracer: Tracer, *, access_log: bool
) -> None:
    """Give each request an id, taken from a valid X-Request-Id if there is one, and return it in
    the response. Make a span of each, below that of the caller if it names one, and record its time
    by route. With `access_log`, write one line per request."""

    @app.before_request
    def _begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
        g.request_began = time.perf_counter()
        caller = caller_of(request.headers.get("traceparent", ""))
        # Only what is sent with POST may carry out a command, whose trace it then belongs to.
        g.span = tracer.request(caller, settled=request.method != "POST").__enter__()

    @app.after_request
    def _end(response: Response) -> Response:
        if "request_id" in g:
            response.headers["X-Request-Id"] = g.request_id
            elapsed = (time.perf_counter() - g.request_began) * 1000
            route = (request.endpoint or UNKNOWN_ROUTE).removeprefix("web.")
            recorder.process = WEB
            status = g.get("counted_as") or f"{response.status_code // 100}xx"
            _end_span(g.span, response.status_code)
            recorder.record("requests", (route, status), elapsed)
            statistics.count("request", route, status, elapsed)
            if access_log:
                line = "%s %s %s in %.1f ms"
                # Without the query string, which may hold personal data.
                ACCESS.info(line, request.method, _path(), response.status_code, elapsed)
        return response


def _path() -> str:
    """The path, without the secret of a sign-in link."""
    secret = (request.view_args or {}).get(SECRET)
    return request.path.replace(f"/{secret}", f"/<{SECRET}>") if secret else request.path


def _end_span(span: LiveSpan, status: int) -> None:
    """Attributes by https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server"""
    route = request.url_rule.rule if request.url_rule else ""
    span.span.name = f"{request.method} {route}".strip()
    span.note("http.request.method", request.method)
    span.note("http.route", route)
    span.note("http.response.status_code", status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.span.error = str(status)
    span.__exit__(None, None, None)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    moment = datetime.fromtimestamp(record.created, UTC)
    command = running_command.get()
    found = {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "process": record.process,
        "logger": record.name,
        "request_id": g.get("request_id", "") if has_request_context() else "",
        "command_id": command.command_id if command else "",
        "trace_id": current_trace_id() or (trace_id_of(command.correlation) if command else ""),
        "message": record.getMessage(),
    }
    return {name: value for name, value in found.items() if value != ""}


class Json(logging.Formatter):
    """One JSON object per line; a traceback is its field `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(fields).decode()


class Text(logging.Formatter):
    """For people: time, level and process first, ids last; a traceback on separate lines."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        head = "{time} {level:7} [{process}] {logger}: {message}".format(**fields)
        ids = "".join(f" {name}={fields[name]}" for name in IDS if name in fields)
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return (head + ids).replace("\n", "\\n") + trace


class Repetitions(logging.Filter):
    """Lets through MAX_REPEATS warnings or errors of the same kind per minute. The next one tells
    how many were left out: an outage must not fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now, kind = time.monotonic(), (record.name, str(record.msg))
        began, count = self._seen.get(kind, (now, 0))
        if now - began > REPEATS_SECONDS:
            if count > MAX_REPEATS:
                left_out = count - MAX_REPEATS
                record.msg = f"{record.getMessage()} ({left_out} more like it before)"
                record.args = None
            began, count = now, 0
        if len(self._seen) >= MAX_KINDS:
            self._seen.clear()
        self._seen[kind] = (began, count + 1)
        return count < MAX_REPEATS
