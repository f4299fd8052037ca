"""What a retry of a failure's parked events would change: asked before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from cqrs_app.kernel.commands.consequences import Effect, Prospect
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.kernel.subscriptions.rehearsal import Rehearsal, RowChange
from cqrs_app.platform.failures.commands import FailureId, RetryFailure
from cqrs_app.platform.failures.failed_commands import FailedCommands
from cqrs_app.platform.failures.subscriptions import Retries
from cqrs_app.platform.runtime.commands import RETRY

MOST_REHEARSED = 5
"""Streams of one preview. It holds locks while it lasts."""
MOST_SHOWN = 12
NONE = "\N{EN DASH}"


@query(label="Preview of a retry", permission=RETRY, store="write")
class PreviewRetry(Query):
    """What a retry of the oldest streams that wait for this failure would change. The events are
    processed in a transaction that is rolled back; at most five streams are."""

    failure_id: FailureId
    streams: Annotated[int, Meta(title="How many", ge=1, le=MOST_REHEARSED)] = 1


class Previews:
    """`retries` are the subscriptions that would carry a retry out, `failed_commands` what it would
    send again."""

    def __init__(
        self, retries: Sequence[Retries], failed_commands: FailedCommands | None = None
    ) -> None:
        self._retries = retries
        self._failed_commands = failed_commands

    def answer(self, question: PreviewRetry, connection: Connection) -> tuple[Rehearsal, ...]:
        return tuple(self._of(question.failure_id, question.streams))

    def consequences(self, prospect: Prospect) -> Iterator[Effect]:
        """The same, above the button of a retry."""
        command = prospect.command
        if isinstance(command, RetryFailure):
            failure_id, streams = command.failure_id, min(command.streams, MOST_REHEARSED)
            found = [tuple(_effects(each)) for each in self._of(failure_id, streams)]
            if self._failed_commands:
                sent = self._failed_commands.effects(failure_id, streams, prospect)
                found += [(effect,) for effect in sent]
            yield from chain.from_iterable(found)
            if not found:
                yield _effect("", "Nothing waits for this failure any more.")
            elif command.streams > len(found) == MOST_REHEARSED:
                yield _effect("", f"The preview shows the first {MOST_REHEARSED} only.")

    def _of(self, failure_id: str, streams: int) -> Iterator[Rehearsal]:
        return chain.from_iterable(each.preview(failure_id, streams) for each in self._retries)


def _effects(preview: Rehearsal) -> Iterator[Effect]:
    category, _, identity = preview.stream.partition("-")
    about = f"{_words(category).capitalize()} {identity} in {_words(preview.subscription)}"
    events = "event" if preview.waiting == 1 else "events"
    if preview.error:
        done = f" after {preview.processed} of {preview.waiting}" if preview.processed else ""
        yield _effect(preview.stream, f"{about} would fail again{done}: {preview.error}")
        return
    yield _effect(preview.stream, f"{about}: {preview.waiting} {events} would be applied.")
    for change in preview.changes[:MOST_SHOWN]:
        yield _effect(preview.stream, _sentence(change))
    if (more := len(preview.changes) - MOST_SHOWN) > 0:
        yield _effect(preview.stream, f"{more} more rows would change.")


def _sentence(change: RowChange) -> str:
    table = _words(change.table).capitalize()
    if not change.key:
        rows = "row" if change.rows == 1 else "rows"
        return f"{table}: {change.rows} {rows} would be {change.action}."
    if change.action == "added":
        return f"{table}: {change.key} would be added."
    arrow = "\N{RIGHTWARDS ARROW}"
    fields = (
        f"{_words(each.name)} {each.before or NONE} {arrow} {each.after or NONE}"
        for each in change.fields
    )
    return f"{table}, {change.key}: {', '.join(fields)}."


def _words(name: str) -> str:
    return name.replace("_", " ")


def _effect(subject: str, sentence: str) -> Effect:
    return Effect(command="", subject=subject, sentence=sentence)
