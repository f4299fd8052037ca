"""The OpenAPI description, made from the registry."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec
from flask import Response, current_app

from cqrs_app.interfaces.api.answers import encoded, tagged
from cqrs_app.interfaces.api.auth import public
from cqrs_app.interfaces.api.batch import MOST_COMMANDS, BatchRequest
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.openapi_parts import (
    ANSWER,
    BATCH_RESULT,
    COMMAND_HEADERS,
    COMMAND_PARAMETERS,
    CONSISTENCY_PARAMETERS,
    EVENTS,
    PREVIEW,
    PROBLEM,
    STATE,
    parameter,
    responses,
)
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.registry import Registry
from cqrs_app.platform.catalogue.entries import Entry, entries
from cqrs_app.platform.runtime.feed import FollowEvents
from cqrs_app.services import kernel

REF = "#/components/schemas/{name}"


@bp.get("/openapi.json")
@public
def openapi_json() -> Response:
    """The description of this API, for programs; /catalogue is for people."""
    known: dict[str, Any] = current_app.extensions
    if "openapi" not in known:
        known["openapi"] = msgspec.Raw(encoded(description(kernel.registry)))
    return tagged(known["openapi"], known["openapi"])


def description(registry: Registry) -> dict[str, Any]:
    """The whole document, OpenAPI 3.1."""
    schemas, components = _schemas(registry)
    told = entries(registry)
    commands = [entry for entry in told if entry.kind == "command"]
    queries = [entry for entry in told if entry.kind == "query"]
    paths = {f"/commands/{entry.name}": {"post": _command(entry)} for entry in commands}
    paths |= {"/commands": {"post": _batch()}, "/commands/{command_id}": {"get": _state()}}
    for entry in queries:
        properties = components[entry.name]["properties"]
        paths[f"/queries/{entry.name}"] = {"get": _query(entry, properties, schemas[entry.name])}
    feed = components[FollowEvents.__name__]["properties"]
    paths |= {"/events": {"get": _feed(feed)}, "/openapi.json": {"get": _itself()}}
    fixed = {
        "Problem": PROBLEM, "Answer": ANSWER, "CommandState": STATE,
        "BatchResults": BATCH_RESULT, "Events": EVENTS, "Preview": PREVIEW,
    }  # fmt: skip
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Countersign", "version": "1", "description": __doc__},
        "servers": [{"url": bp.url_prefix}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components | fixed,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    plain: dict[str, Any] = msgspec.json.decode(encoded(document))
    return plain


def _schemas(registry: Registry) -> tuple[dict[str, Any], dict[str, Any]]:
    """Query name -> the schema of its answer's value; and all components by name."""
    returned = {}
    for name, cls in registry.queries.items():
        handler = registry.handler_of(cls)
        returned[name] = get_type_hints(handler, include_extras=True)["return"]
    messages = [*registry.commands.values(), *registry.queries.values(), *registry.events.values()]
    wanted = [*returned.values(), *messages, Receipt, BatchRequest]
    schemas, components = msgspec.json.schema_components(wanted, ref_template=REF)
    return dict(zip(returned, schemas, strict=False)), components


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": REF.format(name=name)}


def _json(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema, **more}}}


def _command(entry: Entry) -> dict[str, Any]:
    answers = {
        "200": {
            "description": "Carried out, or what it would lead to on a dry run.",
            **_json({"anyOf": [_ref("Receipt"), _ref("Preview")]}),
        },
        "202": {"description": "Accepted; a worker carries it out.", **_json(_ref("Receipt"))},
    }
    return {
        "operationId": entry.name,
        "summary": entry.label,
        "description": f"{entry.summary} Permission: {entry.permission}.",
        "tags": [entry.area],
        "parameters": [*COMMAND_HEADERS, *COMMAND_PARAMETERS],
        "requestBody": {"required": True, **_json(_ref(entry.name), example=entry.example)},
        "responses": answers | responses("400", "403", "409", "413", "415", "422"),
    }


def _query(entry: Entry, properties: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    envelope = {"allOf": [_ref("Answer"), {"type": "object", "properties": {"value": value}}]}
    needed = {field.name for field in entry.fields if field.needed}
    return {
        "operationId": entry.name,
        "summary": entry.label,
        "description": f"{entry.summary} Permission: {entry.permission}.",
        "tags": [entry.area],
        "parameters": [
            *(parameter(name, each, name in needed) for name, each in properties.items()),
            *CONSISTENCY_PARAMETERS,
        ],
        "responses": {
            "200": {"description": "The answer, and how fresh it is.", **_json(envelope)},
            "304": {"description": "The asker holds this answer already (If-None-Match)."},
        }
        | responses("403", "422"),
    }


def _batch() -> dict[str, Any]:
    return {
        "operationId": "submitBatch",
        "summary": f"Up to {MOST_COMMANDS} commands, each accepted or refused on its own",
        "tags": ["batch"],
        "requestBody": {"required": True, **_json(_ref("BatchRequest"))},
        "responses": {
            "200": {
                "description": "Per item, in order.",
                **_json(_ref("BatchResults")),
            }
        }
        | responses("400", "413", "415"),
    }


def _state() -> dict[str, Any]:
    return {
        "operationId": "commandState",
        "summary": "What became of a command",
        "tags": ["batch"],
        "parameters": [
            {"name": "command_id", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "responses": {
            "200": {"description": "Its state now.", **_json(_ref("CommandState"))},
            "304": {"description": "The asker holds this state already (If-None-Match)."},
        }
        | responses("404"),
    }


def _feed(properties: dict[str, Any]) -> dict[str, Any]:
    types = {"type": "string", "description": "Names with commas between them; none for all."}
    shown = properties | {"types": types}
    return {
        "operationId": "followEvents",
        "summary": "The events after a position, in their one order",
        "description": FollowEvents.__doc__,
        "tags": ["events"],
        "parameters": [parameter(name, schema, needed=False) for name, schema in shown.items()],
        "responses": {
            "200": {"description": "The events.", **_json(_ref("Events"))},
            "304": {"description": "Nothing new since (If-None-Match)."},
        }
        | responses("403", "422"),
    }


def _itself() -> dict[str, Any]:
    return {
        "operationId": "openapi",
        "summary": "This description",
        "tags": ["description"],
        "security": [],
        "responses": {
            "200": {"description": "OpenAPI 3.1.", **_json({"type": "object"})},
            "304": {"description": "The asker holds it already (If-None-Match)."},
        },
    }
