"""The OpenAPI description, generated from the registry."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec
from flask import Response, current_app

from cqrs_app.installed_areas import SENDABLE
from cqrs_app.interfaces.api import openapi_batches, openapi_events
from cqrs_app.interfaces.api.answers import encoded, tagged
from cqrs_app.interfaces.api.auth import public
from cqrs_app.interfaces.api.batch import MOST_COMMANDS, BatchRequest
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.openapi_parts import (
    COMMAND_PARAMETERS,
    CONSISTENCY_PARAMETERS,
    add_fixed,
    parameter,
    responses,
)
from cqrs_app.interfaces.api.queries import names_one_thing
from cqrs_app.interfaces.api.query_batch import MOST_QUERIES, QueryBatch
from cqrs_app.interfaces.api.reading import LONGEST_WHY
from cqrs_app.interfaces.api.schemas import Components, Schema, Schemas, reference, without_null
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.queries.subjects import names_subject
from cqrs_app.kernel.registry import Registry
from cqrs_app.platform.catalogue.entries import Entry, entries
from cqrs_app.platform.runtime.feed import FollowEvents
from cqrs_app.platform.webhooks.events import WebhookTestRequested
from cqrs_app.services import kernel

ABOUT = (
    "The commands, queries and events of this console. Every error is problem+json (RFC 9457). "
    'Amounts are texts with the places of their currency, such as "12.50"; times are in UTC.'
)
TAGS = {
    "batch": "Many commands or questions at once, and what became of a command.",
    "events": "Everything that happened, in one order.",
    "webhooks": "What is sent to other systems.",
    "description": "This document.",
}


@bp.get("/openapi.json")
@public
def openapi_json() -> Response:
    """The description of this API for programs; people read /catalogue."""
    known: dict[str, Any] = current_app.extensions
    if "openapi" not in known:
        known["openapi"] = msgspec.Raw(encoded(description(kernel.registry)))
    return tagged(known["openapi"], known["openapi"])


def description(registry: Registry) -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    components = Components()
    add_fixed(components)
    # Request schemas first: a value used in requests and responses may lack what has a default.
    paths = {
        **_commands(registry, Schemas(components, complete=False)),
        **_queries(registry, Schemas(components, complete=True)),
    }
    written = Schemas(components, complete=True)
    paths |= openapi_batches.paths(written)
    paths["/events"] = {"get": _feed(registry, written)}
    paths["/openapi.json"] = {"get": _itself()}
    areas = {entry.area: f"Messages of the area {entry.area}." for entry in entries(registry)}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Countersign", "version": "1", "description": ABOUT},
        "servers": [{"url": bp.url_prefix}],
        "security": [{"bearer": []}],
        "tags": [{"name": name, "description": text} for name, text in (areas | TAGS).items()],
        "paths": paths,
        "webhooks": openapi_events.webhooks(written, (*SENDABLE, WebhookTestRequested)),
        "components": {
            "schemas": components.schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    plain: dict[str, Any] = msgspec.json.decode(encoded(document))
    return plain


def _json(schema: Schema, **more: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema, **more}}}


def _commands(registry: Registry, schemas: Schemas) -> dict[str, Any]:
    receipt = Schemas(schemas.components, complete=True).of(Receipt)
    found = {
        f"/commands/{entry.name}": {
            "post": _command(entry, _fields(registry.commands[entry.name], schemas), receipt)
        }
        for entry in entries(registry)
        if entry.kind == "command"
    }
    batch = schemas.of(BatchRequest)
    questions = schemas.of(QueryBatch)
    return found | {
        "/queries": {"post": _questions(questions)},
        "/commands": {"post": _batch(batch)},
        "/commands/{command_id}": {"get": _state()},
    }


def _fields(cls: type[Command], schemas: Schemas) -> Schema:
    """The body of a command: its fields, and a note to signers."""
    found = schemas.of(cls)
    schemas.components.schemas[cls.__name__]["properties"]["why"] = {
        "type": "string",
        "maxLength": LONGEST_WHY,
        "description": "A note to signers, where it needs approval.",
    }
    return found


def _command(entry: Entry, fields: Schema, receipt: Schema) -> dict[str, Any]:
    answers = {
        "200": {
            "description": "Carried out, or what it would lead to on a dry run.",
            **_json({"anyOf": [receipt, reference("Preview")]}),
        },
        "202": {
            "description": "Accepted; a worker carries it out, or it awaits approval.",
            **_json({"anyOf": [receipt, reference("AwaitingApproval")]}),
        },
    }
    return {
        **_about(entry),
        "parameters": COMMAND_PARAMETERS,
        "requestBody": {"required": True, **_json(fields, example=entry.example)},
        "responses": answers | responses("400", "403", "409", "413", "415", "422"),
    }


def _about(entry: Entry) -> dict[str, Any]:
    return {
        "operationId": entry.name,
        "summary": entry.label,
        "description": f"{entry.summary} Permission: {entry.permission}.",
        "tags": [entry.area],
    }


def _queries(registry: Registry, schemas: Schemas) -> dict[str, Any]:
    return {
        f"/queries/{entry.name}": {"get": _query(entry, registry, schemas)}
        for entry in entries(registry)
        if entry.kind == "query"
    }


def _query(entry: Entry, registry: Registry, schemas: Schemas) -> dict[str, Any]:
    cls = registry.query(entry.name)
    handler = registry.handler_of(cls)
    value = schemas.of(get_type_hints(handler, include_extras=True)["return"])
    about_one = names_subject(cls, registry.aggregates.values())
    of_one = names_one_thing(cls) and value != without_null(value)
    answer = schemas.components.add(
        f"{entry.name}Answer",
        {
            "allOf": [
                reference("Freshness"),
                {
                    "type": "object",
                    "properties": {"value": without_null(value) if of_one else value},
                    "required": ["value"],
                },
            ]
        },
    )
    return {
        **_about(entry),
        "parameters": [*_parameters(cls, schemas.components), *CONSISTENCY_PARAMETERS],
        "responses": {
            "200": {"description": "The answer, and how fresh it is.", **_json(answer)},
            "304": {"description": "The client has this answer already (If-None-Match)."},
        }
        | responses("400", "403", "422", *(["404"] if of_one or about_one else [])),
    }


def _parameters(cls: type[Query], components: Components) -> list[dict[str, Any]]:
    shown = Schemas(components, complete=False).parameters_of(cls)
    needed = {field.name for field in fields_of(cls) if field.needed}
    return [
        parameter("query", name, schema, needed=name in needed) for name, schema in shown.items()
    ]


def _batch(request: Schema) -> dict[str, Any]:
    return {
        "operationId": "submitBatch",
        "summary": f"Up to {MOST_COMMANDS} commands, each accepted or refused on its own",
        "description": "They are carried out in their order. Give each an idempotency_key.",
        "tags": ["batch"],
        "parameters": [each for each in COMMAND_PARAMETERS if each["name"] == "Prefer"],
        "requestBody": {"required": True, **_json(request)},
        "responses": {
            "200": {"description": "Per item, in order.", **_json(reference("BatchResults"))}
        }
        | responses("400", "413", "415"),
    }


def _questions(request: Schema) -> dict[str, Any]:
    return {
        "operationId": "askBatch",
        "summary": f"Up to {MOST_QUERIES} questions, each answered on its own",
        "description": "Each needs its own permission. Nothing waits for a version.",
        "tags": ["batch"],
        "requestBody": {"required": True, **_json(request)},
        "responses": {
            "200": {"description": "Per question, in order.", **_json(reference("BatchAnswers"))}
        }
        | responses("400", "413", "415"),
    }


def _state() -> dict[str, Any]:
    return {
        "operationId": "commandState",
        "summary": "What became of a command",
        "description": "One's own, or any with the permission commands.view.",
        "tags": ["batch"],
        "parameters": [parameter("path", "command_id", {"type": "string"}, needed=True)],
        "responses": {
            "200": {"description": "Its state now.", **_json(reference("CommandState"))},
            "304": {"description": "The client has this state already (If-None-Match)."},
        }
        | responses("404"),
    }


def _feed(registry: Registry, schemas: Schemas) -> dict[str, Any]:
    page = openapi_events.feed(schemas, registry.events.values())
    return {
        "operationId": "followEvents",
        "summary": "The events after a position, in their one order",
        "description": FollowEvents.__doc__,
        "tags": ["events"],
        "parameters": _parameters(FollowEvents, schemas.components),
        "responses": {
            "200": {"description": "The events.", **_json(page)},
            "304": {"description": "Nothing new since (If-None-Match)."},
        }
        | responses("400", "403", "422"),
    }


def _itself() -> dict[str, Any]:
    return {
        "operationId": "openapi",
        "summary": "This description",
        "description": "Needs no token.",
        "tags": ["description"],
        "security": [],
        "responses": {
            "200": {"description": "OpenAPI 3.1.", **_json({"type": "object"})},
            "304": {"description": "The client has it already (If-None-Match)."},
        },
    }
