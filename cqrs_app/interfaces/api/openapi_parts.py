"""The fixed parts of the OpenAPI description: what every endpoint has in common."""

from __future__ import annotations

from typing import Any

from cqrs_app.interfaces.api.queries import LONGEST_WAIT_MS
from cqrs_app.interfaces.api.reading import LONGEST_KEY
from cqrs_app.interfaces.api.schemas import Components, Schema, record, reference
from cqrs_app.kernel.queries.bounds import HIGHEST_POSITION, LONGEST_STALENESS
from cqrs_app.platform.approvals.gate import AWAITING

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_TIME = {"type": "string", "format": "date-time"}
_MAYBE_TEXT = {"anyOf": [_TEXT, {"type": "null"}]}
_MAYBE_TIME = {"anyOf": [_TIME, {"type": "null"}]}
_STATUS = {
    "type": "string",
    "enum": ["succeeded", "refused", "failed", "queued", "running", AWAITING],
}

KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"
"""A header's value has no spaces at its ends."""


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


SCHEMAS = {
    "FieldProblem": record("What is wrong with one field.", {"field": _TEXT, "detail": _TEXT}),
    "EventSince": record(
        "An event that is newer than the version that was given.",
        {"type": _TEXT, "version": _WHOLE, "operator": _TEXT, "recorded_at": _TIME},
    ),
    "Problem": record(
        "RFC 9457. `code` is for programs, `detail` for people.",
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": _WHOLE,
            "detail": _TEXT,
            "code": _TEXT,
            "errors": _list(reference("FieldProblem")),
            "stream": _TEXT,
            "version": _WHOLE,
            "events": _list(reference("EventSince")),
            "number": _TEXT,
            "position": _WHOLE,
            "lag_seconds": {"type": "number"},
        },
        optional=(
            "errors",
            "stream",
            "version",
            "events",
            "number",
            "position",
            "lag_seconds",
        ),
    ),
    "Freshness": record(
        "How fresh an answer is. `stale`: the write that `min_version` names is not in it yet.",
        {
            "as_of": _TIME,
            "position": _WHOLE,
            "lag_events": _WHOLE,
            "lag_seconds": {"type": "number"},
            "state": _TEXT,
            "parked": _WHOLE,
            "cached": {"type": "boolean"},
            "stale": {"type": "boolean"},
        },
    ),
    "PreviewedEvent": record("", {"type": _TEXT, "data": {"type": "object"}}),
    "Preview": record(
        "The events that a command would lead to.", {"events": _list(reference("PreviewedEvent"))}
    ),
    "CommandState": record(
        "What became of a command.",
        {
            "command_id": _TEXT,
            "command": _TEXT,
            "operator": _TEXT,
            "status": _STATUS,
            "stream": _TEXT,
            "version": _WHOLE,
            "events": _list(_TEXT),
            "duration_ms": {"type": "number"},
            "code": _MAYBE_TEXT,
            "sentence": _MAYBE_TEXT,
            "attempts": _WHOLE,
            "received_at": _TIME,
            "finished_at": _MAYBE_TIME,
            "request_id": _TEXT,
        },
        optional=("request_id",),
    ),
    "AwaitingApproval": record(
        "The receipt of a command that a policy applies to. GetApprovalRequest shows the request.",
        {
            "command_id": _TEXT,
            "status": {"type": "string", "enum": [AWAITING]},
            "request_id": _TEXT,
            "stream": _TEXT,
            "version": _WHOLE,
            "events": _list(_TEXT),
            "duration_ms": {"type": "number"},
            "repeated": {"type": "boolean"},
        },
    ),
    "BatchResult": record(
        "A receipt, or the problem instead of it.",
        {
            "status": _WHOLE,
            "receipt": {"anyOf": [reference("Receipt"), reference("AwaitingApproval")]},
            "problem": reference("Problem"),
        },
        optional=("receipt", "problem"),
    ),
    "BatchResults": record("", {"results": _list(reference("BatchResult"))}),
    "AnyAnswer": {
        "allOf": [
            reference("Freshness"),
            record("The value is as the query's own endpoint describes it.", {"value": {}}),
        ]
    },
    "BatchAnswer": record(
        "An answer, or the problem instead of it.",
        {"status": _WHOLE, "answer": reference("AnyAnswer"), "problem": reference("Problem")},
        optional=("answer", "problem"),
    ),
    "BatchAnswers": record("", {"results": _list(reference("BatchAnswer"))}),
}


def add_fixed(components: Components) -> None:
    """The components that endpoints refer to, whatever messages there are."""
    for name, schema in SCHEMAS.items():
        components.add(name, schema)


def parameter(
    place: str, name: str, schema: Schema, description: str = "", *, needed: bool = False
) -> dict[str, Any]:
    found = {"name": name, "in": place, "required": needed, "schema": schema}
    return found | ({"description": description} if description else {})


COMMAND_PARAMETERS = [
    parameter(
        "header",
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": KEY_PATTERN},
        "The same key and body: the first receipt, and nothing is done twice. The same key with "
        "another body: 422.",
    ),
    parameter(
        "header",
        "Prefer",
        {"type": "string", "enum": ["respond-async"]},
        "respond-async (RFC 7240): queue the command and answer 202 at once.",
    ),
    parameter(
        "query",
        "expected_version",
        {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        "The version of the stream you have seen; a newer one is a conflict (409).",
    ),
    parameter(
        "query",
        "dry_run",
        {"type": "boolean"},
        "Return the events it would lead to and what would follow; change and log nothing.",
    ),
]
CONSISTENCY_PARAMETERS = [
    parameter(
        "query",
        "min_version",
        {"type": "string", "pattern": "^[!-~]{1,200}:[0-9]{1,9}$"},
        "Wait for one's own write: <stream>:<version> from its receipt.",
    ),
    parameter(
        "query",
        "wait_ms",
        {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_MS},
        "How long to wait for what was asked for. Then an answer without the write comes all the "
        "same, marked stale, and one outside of the bounds is refused (503).",
    ),
    parameter(
        "query",
        "min_position",
        {"type": "integer", "minimum": 1, "maximum": HIGHEST_POSITION},
        "A bound: the answer includes every event up to this position of the log, such as the "
        "`position` of an earlier answer.",
    ),
    parameter(
        "query",
        "max_staleness",
        {"type": "number", "minimum": 0, "maximum": LONGEST_STALENESS},
        "A bound: the oldest event that the answer lacks is at most so many seconds old.",
    ),
    parameter("query", "strong", {"type": "boolean"}, "Answer from the events themselves."),
]

_PROBLEMS = {
    "400": "Malformed: not in the form asked for, or a position beyond the end of the log.",
    "401": "No token, or one that is not known.",
    "403": "The token lacks the permission.",
    "404": "Nothing of this name or id.",
    "409": "The stream is newer than expected_version; `events` are those since.",
    "413": "Larger than is taken at once.",
    "415": "The content type is not JSON.",
    "422": "Invalid (per field in `errors`), or refused by a rule (`code`).",
    "429": "Too many requests; see Retry-After.",
    "503": "Not possible at the moment. A command was done whole or not at all; see Retry-After.",
}
ALWAYS = ("401", "429", "503")


def responses(*statuses: str) -> dict[str, Any]:
    """The problems that an endpoint can return, including those of every endpoint."""
    return {
        status: {
            "description": _PROBLEMS[status],
            "content": {"application/problem+json": {"schema": reference("Problem")}},
        }
        for status in sorted({*statuses, *ALWAYS})
    }
