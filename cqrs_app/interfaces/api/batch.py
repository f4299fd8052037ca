"""Many commands in one request, each accepted or refused on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from flask import Response

from cqrs_app.interfaces.api import reading
from cqrs_app.interfaces.api.answers import answer
from cqrs_app.interfaces.api.auth import count_batch
from cqrs_app.interfaces.api.blueprint import bp
from cqrs_app.interfaces.api.commands import described as receipt_as_json
from cqrs_app.interfaces.api.commands import status_of
from cqrs_app.interfaces.api.problems import NO_DATABASE, Unusable, described, logger
from cqrs_app.kernel.commands.batch import Outcome
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.previews import BATCH_CHUNK
from cqrs_app.kernel.errors import BusError, Unavailable
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.services import kernel

MOST_COMMANDS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One command of a batch. `why` is a note to signers, where it needs approval."""

    command: str
    fields: dict[str, Any]
    idempotency_key: Annotated[str, msgspec.Meta(max_length=reading.LONGEST_KEY)] | None = None
    expected_version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None
    why: Annotated[str, msgspec.Meta(max_length=reading.LONGEST_WHY)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """At most 500 commands, carried out in their order."""

    commands: Annotated[tuple[BatchItem, ...], msgspec.Meta(min_length=1)]


@bp.post("/commands")
def submit_batch() -> Response:
    """Per item, in order: a receipt, or the problem that prevented it."""
    request = _request()
    count_batch(len(request.commands))
    prepared = [_prepared(item) for item in request.commands]
    usable = [each for each in prepared if not isinstance(each, BusError)]
    outcomes = iter(_carried_out(usable))
    results = [
        _result(Outcome(None, each) if isinstance(each, BusError) else next(outcomes))
        for each in prepared
    ]
    return answer({"results": results})


def _carried_out(items: list[tuple[Command, Context]]) -> Iterator[Outcome]:
    """In chunks, so that what is done is reported even if the database goes away."""
    bus = kernel.commands
    act = bus.enqueue_batch if reading.respond_async() else bus.dispatch_batch
    for start in range(0, len(items), BATCH_CHUNK):
        chunk = items[start : start + BATCH_CHUNK]
        try:
            yield from act(chunk)
        except DATABASE_TROUBLE as error:
            logger.error("the database does not answer: %s", error)
            yield from (Outcome(None, Unavailable(NO_DATABASE)) for _ in chunk)


def _request() -> BatchRequest:
    try:
        found = msgspec.convert(reading.body(), BatchRequest)
    except msgspec.ValidationError as error:
        raise Unusable(400, "malformed", f"The batch cannot be read: {error}.") from None
    if len(found.commands) > MOST_COMMANDS:
        raise Unusable(
            413,
            "too_large",
            f"A batch holds at most {MOST_COMMANDS} commands. Nothing was changed. Send it in "
            "parts.",
        )
    return found


def _prepared(item: BatchItem) -> tuple[Command, Context] | BusError:
    try:
        cls = kernel.registry.command(item.command)
        context = reading.context_of(item.idempotency_key, item.expected_version, item.why)
        kernel.commands.authorise(cls, context)
        return parse(cls, item.fields), context
    except BusError as error:
        return error


def _result(outcome: Outcome) -> dict[str, Any]:
    if outcome.error is not None:
        body = described(outcome.error)
        return {"status": body["status"], "problem": body}
    assert outcome.receipt is not None  # noqa: S101 - an outcome is a receipt or an error
    return {"status": status_of(outcome.receipt), "receipt": receipt_as_json(outcome.receipt)}
