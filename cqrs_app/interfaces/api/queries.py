"""Queries over HTTP, with how fresh each answer is."""

from __future__ import annotations

from typing import Any, get_origin

from flask import Response, request

from cqrs_app.interfaces.api import reading
from cqrs_app.interfaces.api.answers import tagged
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.fields import hints_of, plain_type
from cqrs_app.kernel.messages.messages import Query, parse
from cqrs_app.kernel.queries.context import MinVersion, QueryContext
from cqrs_app.services import kernel

LONGEST_WAIT_MS = 10_000
CONSISTENCY = ("min_version", "wait_ms", "strong")


@bp.get("/queries/<name>")
def ask(name: str) -> Response:
    """The answer to one question; 304 when the asker holds it already."""
    cls, asker = kernel.registry.query(name), _asker()
    kernel.queries.authorise(cls, asker)
    question = parse(cls, _values(cls), from_text=True)
    found = kernel.queries.ask(question, asker)
    return tagged(found.told(), (found.value, found.stale, found.freshness.state))


def _values(cls: type[Query]) -> dict[str, Any]:
    """The question's fields among the parameters; a list is given by repeating its name."""
    hints, problems = hints_of(cls), dict[str, str]()
    values: dict[str, Any] = {}
    for name in request.args:
        given = request.args.getlist(name)
        if name in hints and get_origin(plain_type(hints[name])) is tuple:
            values[name] = given
        elif name in hints:
            values[name] = given[0]
        if len(given) > 1 and not isinstance(values.get(name), list):
            problems[name] = "Give one value only."
        elif name not in hints and name not in CONSISTENCY:
            problems[name] = "There is no such field."
    if problems:
        raise Invalid(cls.__name__, problems)
    return values


def _asker() -> QueryContext:
    wait = reading.number("wait_ms", lowest=0, highest=LONGEST_WAIT_MS) or 0
    return QueryContext(
        actor=reading.actor(),
        seen=_seen(request.args.get("min_version")),
        wait=wait / 1000,
        strong=reading.flag("strong"),
    )


def _seen(text: str | None) -> MinVersion | None:
    try:
        return None if text is None else MinVersion.from_text(text)
    except ValueError as error:
        raise Invalid("The request", {"min_version": str(error)}) from None
