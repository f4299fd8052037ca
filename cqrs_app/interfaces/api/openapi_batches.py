"""Batches in the OpenAPI description."""

from __future__ import annotations

from typing import Any

from cqrs_app.interfaces.api.batches import (
    DECISIONS,
    BatchAccepted,
    BatchProgress,
    NewBatchRequest,
)
from cqrs_app.interfaces.api.openapi_parts import COMMAND_PARAMETERS, parameter, responses
from cqrs_app.interfaces.api.schemas import Schema, Schemas
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.queries.paging import Page
from cqrs_app.platform.batches.queries import ItemRow, ListBatchItems

_KEY = [each for each in COMMAND_PARAMETERS if each["name"] == "Idempotency-Key"]
_ID = parameter("path", "batch_id", {"type": "string"}, needed=True)


def paths(written: Schemas) -> dict[str, Any]:
    """The endpoints of batches; `written` makes the schemas of answers."""
    read = Schemas(written.components, complete=False)
    return {
        "/batches": {"post": _create(written, read)},
        "/batches/{batch_id}": {"get": _progress(written)},
        "/batches/{batch_id}/items": {"get": _items(written, read)},
        "/batches/{batch_id}/{decision}": {"post": _decide(written)},
    }


def _create(written: Schemas, read: Schemas) -> dict[str, Any]:
    return _endpoint(
        "createBatch",
        "One command for many items",
        "Needs the command's permission. Workers check the items and send them.",
        _answer("202", "Accepted.", written.of(BatchAccepted)),
        responses("400", "403", "404", "409", "413", "415", "422"),
        parameters=_KEY,
        body=read.of(NewBatchRequest),
    )


def _progress(written: Schemas) -> dict[str, Any]:
    return _endpoint(
        "batchProgress",
        "How far a batch is",
        "Before it is started, the counts are those that the check foresees.",
        _answer("200", "Its progress now.", written.of(BatchProgress)),
        responses("403", "404", "422"),
        parameters=[_ID],
    )


def _items(written: Schemas, read: Schemas) -> dict[str, Any]:
    listed = read.parameters_of(ListBatchItems)
    return _endpoint(
        "batchItems",
        "The items of a batch, with their outcomes",
        "In order. `after` and `before` are cursors from another page.",
        _answer("200", "One page of them.", written.of(Page[ItemRow])),
        responses("403", "404", "422"),
        parameters=[
            _ID,
            *(
                parameter("query", name, schema)
                for name, schema in listed.items()
                if name != "batch_id"
            ),
        ],
    )


def _decide(written: Schemas) -> dict[str, Any]:
    decisions = {"type": "string", "enum": list(DECISIONS)}
    retry = {"outcome": {"type": "string"}, "leave_out": {"type": "boolean"}}
    return _endpoint(
        "decideBatch",
        "Start, pause, resume, cancel or retry a batch",
        "`leave_out` is for start, `outcome` for retry.",
        _answer("200", "Decided.", written.of(Receipt)),
        responses("400", "403", "404", "409", "413", "415", "422"),
        parameters=[_ID, parameter("path", "decision", decisions, needed=True), *_KEY],
        body={"type": "object", "properties": retry, "additionalProperties": False},
    )


def _endpoint(
    name: str,
    summary: str,
    description: str,
    answered: dict[str, Any],
    problems: dict[str, Any],
    *,
    parameters: list[dict[str, Any]],
    body: Schema | None = None,
) -> dict[str, Any]:
    found = {
        "operationId": name,
        "summary": summary,
        "description": description,
        "tags": ["batch"],
        "parameters": parameters,
        "responses": answered | problems,
    }
    if body is not None:
        content = {"application/json": {"schema": body}}
        found["requestBody"] = {"required": name == "createBatch", "content": content}
    return found


def _answer(status: str, description: str, schema: Schema) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {status: {"description": description, "content": content}}
