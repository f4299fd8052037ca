"""Several queries in one request, each answered separately."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import msgspec
from flask import Response
from sqlalchemy.exc import OperationalError

from cqrs_app.interfaces.api import reading
from cqrs_app.interfaces.api.answers import answer
from cqrs_app.interfaces.api.auth import count_batch
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.problems import NO_DATABASE, Unusable, described, logger
from cqrs_app.interfaces.api.queries import answered, seen_in
from cqrs_app.kernel.errors import BusError, Unavailable
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.queries.bounds import HIGHEST_POSITION, LONGEST_STALENESS, Bounds
from cqrs_app.kernel.queries.context import Answer, QueryContext
from cqrs_app.services import kernel

MOST_QUERIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryItem:
    """One query of a batch; what it says of consistency is as with the query's own endpoint, but
    nothing waits."""

    query: str
    fields: dict[str, Any] = field(default_factory=dict)
    min_version: str | None = None
    strong: bool = False
    min_position: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST_POSITION)] = 0
    max_staleness: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_STALENESS)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryBatch:
    """At most 20 queries, each answered separately."""

    queries: Annotated[tuple[QueryItem, ...], msgspec.Meta(min_length=1)]


@bp.post("/queries")
def ask_batch() -> Response:
    """Per query, in order: an answer, or the problem that prevented it."""
    items = _items()
    count_batch(len(items))
    return answer({"results": kernel.queries.side_by_side(partial(_result, i) for i in items)})


def _items() -> tuple[QueryItem, ...]:
    try:
        found = msgspec.convert(reading.body(), QueryBatch).queries
    except msgspec.ValidationError as error:
        raise Unusable(400, "malformed", f"The batch cannot be read: {error}.") from None
    if len(found) > MOST_QUERIES:
        raise Unusable(
            413, "too_large", f"A batch holds at most {MOST_QUERIES} questions. Send it in parts."
        )
    return found


def _result(item: QueryItem) -> dict[str, Any]:
    try:
        return {"status": 200, "answer": _answer(item).to_dict()}
    except Unusable as error:
        return {"status": error.status, "problem": error.body}
    except OperationalError as error:
        logger.error("the database does not answer: %s", error)
        return _problem(Unavailable(NO_DATABASE))
    except BusError as error:
        return _problem(error)


def _problem(error: BusError) -> dict[str, Any]:
    body = described(error)
    return {"status": body["status"], "problem": body}


def _answer(item: QueryItem) -> Answer[Any]:
    cls = kernel.registry.query(item.query)
    kernel.queries.authorise(cls, QueryContext(actor=reading.actor()))
    asker = QueryContext(
        actor=reading.actor(),
        seen=seen_in(item.min_version),
        strong=item.strong,
        bounds=Bounds(min_position=item.min_position, max_staleness=item.max_staleness),
    )
    return answered(parse(cls, item.fields), asker)
