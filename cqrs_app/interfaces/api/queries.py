"""Queries over HTTP, with how fresh each answer is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, request

from cqrs_app.interfaces.api import reading
from cqrs_app.interfaces.api.answers import tagged
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.problems import Unusable
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.description import fields_of
from cqrs_app.kernel.messages.messages import Query, parse
from cqrs_app.kernel.queries.bounds import HIGHEST_POSITION, LONGEST_STALENESS, Bounds
from cqrs_app.kernel.queries.context import Answer, MinVersion, QueryContext
from cqrs_app.kernel.queries.subjects import is_empty, subjects_of
from cqrs_app.platform.runtime.records import shown
from cqrs_app.services import kernel

LONGEST_WAIT_MS = 10_000
CONSISTENCY = ("min_version", "wait_ms", "strong", "min_position", "max_staleness")
NOTHING = "There is nothing with this id."
NOT_SHOWN_YET = "There is nothing with this id yet: your write is not shown so far. Try again."


@bp.get("/queries/<name>")
def ask(name: str) -> Response:
    """The answer to one query; 304 if the client has it already, 404 for an unknown id."""
    cls = kernel.registry.query(name)
    kernel.queries.authorise(cls, QueryContext(actor=reading.actor()))
    found = answered(parse(cls, _values(cls), from_text=True), _asker())
    return tagged(found.to_dict(), (found.value, found.stale, found.freshness.state))


def answered(question: Query, asker: QueryContext) -> Answer[Any]:
    """The answer for programs. Raises Unusable for an unknown id, and what the bus raises."""
    cls, found = type(question), kernel.queries.ask(question, asker)
    if is_empty(found.value) and _names_nothing(question, found.value):
        raise Unusable(404, "not_found", NOT_SHOWN_YET if found.stale else NOTHING)
    return replace(found, value=shown(cls, found.value))


def _names_nothing(question: Query, value: Any) -> bool:
    """Whether the thing does not exist, rather than is not projected yet."""
    if value is None and names_one_thing(type(question)):
        return True
    streams = subjects_of(question, kernel.registry.aggregates.values())
    return bool(streams) and not kernel.store.versions_of(streams)


def names_one_thing(cls: type[Query]) -> bool:
    """Whether the query names an id, so that an empty answer means there is no such thing."""
    return any(field.needed for field in fields_of(cls))


def _values(cls: type[Query]) -> dict[str, Any]:
    """The query's fields among the parameters; a list is given by repeating its name."""
    many = {field.name: field.many for field in fields_of(cls)}
    problems = dict[str, str]()
    values: dict[str, Any] = {}
    for name in request.args:
        given = request.args.getlist(name)
        if name in many:
            values[name] = given if many[name] else given[0]
        if len(given) > 1 and not isinstance(values.get(name), list):
            problems[name] = "Give one value only."
        elif name not in many and name not in CONSISTENCY:
            problems[name] = "There is no such field."
    if problems:
        raise Invalid(cls.__name__, problems)
    return values


def _asker() -> QueryContext:
    wait = reading.number("wait_ms", lowest=0, highest=LONGEST_WAIT_MS) or 0
    return QueryContext(
        actor=reading.actor(),
        seen=seen_in(request.args.get("min_version")),
        wait=wait / 1000,
        strong=reading.flag("strong"),
        bounds=Bounds(
            min_position=reading.number("min_position", lowest=1, highest=HIGHEST_POSITION) or 0,
            max_staleness=reading.seconds("max_staleness", highest=LONGEST_STALENESS),
        ),
    )


def seen_in(text: str | None) -> MinVersion | None:
    """The version in `min_version`. Raises Invalid."""
    try:
        return None if text is None else MinVersion.from_text(text)
    except ValueError as error:
        raise Invalid("The request", {"min_version": str(error)}) from None
