"""The fixed parts of the OpenAPI description: what every endpoint has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cqrs_app.interfaces.api.queries import LONGEST_WAIT_MS
from cqrs_app.interfaces.api.reading import LONGEST_KEY

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_TIME = {"type": "string", "format": "date-time"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


PROBLEM = {
    "description": "RFC 9457. `code` is for programs, `detail` for people.",
    "type": "object",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": _WHOLE,
        "detail": _TEXT,
        "code": _TEXT,
        "errors": {"type": "array", "items": _object(field=_TEXT, detail=_TEXT)},
        "stream": _TEXT,
        "version": _WHOLE,
        "events": {
            "type": "array",
            "items": _object(type=_TEXT, version=_WHOLE, operator=_TEXT, recorded_at=_TIME),
        },
        "number": _TEXT,
    },
    "required": ["type", "title", "status", "detail", "code"],
}
ANSWER = {
    "description": "`stale`: the write that `min_version` names is not in it yet.",
    **_object(
        value={},
        as_of=_TIME,
        position=_WHOLE,
        lag_events=_WHOLE,
        lag_seconds={"type": "number"},
        state=_TEXT,
        parked=_WHOLE,
        cached={"type": "boolean"},
        stale={"type": "boolean"},
    ),
}
PREVIEW = _object(
    events={"type": "array", "items": _object(type=_TEXT, data={"type": "object"})},
)
STATE = _object(
    command_id=_TEXT,
    command=_TEXT,
    operator=_TEXT,
    status={"enum": ["succeeded", "refused", "failed", "queued", "running"]},
    stream=_TEXT,
    version=_WHOLE,
    events={"type": "array", "items": _TEXT},
    duration_ms={"type": "number"},
    code=_MAYBE_TEXT,
    sentence=_MAYBE_TEXT,
    attempts=_WHOLE,
    received_at=_TIME,
    finished_at=_MAYBE_TIME,
)
BATCH_RESULT = _object(
    results={
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "status": _WHOLE,
                "receipt": {"$ref": "#/components/schemas/Receipt"},
                "problem": {"$ref": "#/components/schemas/Problem"},
            },
            "required": ["status"],
        },
    }
)
EVENTS = _object(
    events={
        "type": "array",
        "items": _object(
            position=_WHOLE,
            stream=_TEXT,
            version=_WHOLE,
            type=_TEXT,
            schema=_WHOLE,
            data={"type": "object"},
            operator=_TEXT,
            command_id=_TEXT,
            correlation_id=_TEXT,
            causation_id=_MAYBE_TEXT,
            occurred_at=_TIME,
            recorded_at=_TIME,
        ),
    },
    next=_WHOLE,
    head=_WHOLE,
)


def _parameter(
    place: str, name: str, schema: Mapping[str, Any], description: str
) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": dict(schema), "description": description}


COMMAND_HEADERS = [
    _parameter(
        "header",
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
        "The same key and body: the first receipt, and nothing is done twice. The same key with "
        "another body: 422.",
    ),
    _parameter(
        "header",
        "Prefer",
        {"enum": ["respond-async"]},
        "respond-async (RFC 7240): queue the command and answer 202 at once.",
    ),
]
COMMAND_PARAMETERS = [
    _parameter(
        "query",
        "expected_version",
        {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
        "The version of the stream you have seen; a newer one is a conflict (409).",
    ),
    _parameter(
        "query",
        "dry_run",
        {"enum": ["true", "false"]},
        "Say what it would lead to; change and log nothing.",
    ),
]
CONSISTENCY_PARAMETERS = [
    _parameter(
        "query",
        "min_version",
        {"type": "string", "pattern": "^[!-~]{1,200}:[0-9]{1,9}$"},
        "Wait for one's own write: <stream>:<version> from its receipt.",
    ),
    _parameter(
        "query",
        "wait_ms",
        {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_MS},
        "How long to wait for it; then the answer comes all the same, marked stale.",
    ),
    _parameter(
        "query", "strong", {"enum": ["true", "false"]}, "Answer from the events themselves."
    ),
]

_PROBLEMS = {
    "400": "Malformed: not JSON, or not in the form asked for.",
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
    """The problems an endpoint can answer with, those of every endpoint included."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": _PROBLEMS[status],
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in sorted({*statuses, *ALWAYS})
    }


def parameter(name: str, schema: Mapping[str, Any], needed: bool) -> dict[str, Any]:
    """A field of a query in the address; what may be null is simply left out there."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    shown = choices[0] if len(choices) == 1 else dict(schema)
    return {"name": name, "in": "query", "required": needed, "schema": shown}
