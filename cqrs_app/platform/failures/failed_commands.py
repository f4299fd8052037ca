"""The failed commands of a failure, and sending them again.

A command goes back into the queue as it was: under its own id, so that it is carried out once, by
whoever sent it, by what they may do then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from cqrs_app.kernel.commands.consequences import Effect, Prospect
from cqrs_app.kernel.commands.context import Actor, ActorNow, Context
from cqrs_app.kernel.commands.log import requeue
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.kernel.store import LogEntry
from cqrs_app.kernel.store.base import LOG_FIELDS
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.store.tables import command_log
from cqrs_app.platform.failures.masking import masked_payload
from cqrs_app.platform.failures.tables import failure_occurrences, failures


@dataclass(frozen=True, slots=True)
class FailedCommands:
    """`commands` are those of this release by name."""

    engine: Engine
    actor_now: ActorNow
    commands: Callable[[], Mapping[str, type[Command]]]

    def retry(self, connection: Connection, failure_id: str, limit: int) -> None:
        """Queue the oldest of them again, in the caller's transaction."""
        for entry, actor in self._oldest(connection, failure_id, limit):
            if actor is not None:
                requeue(connection, entry.command_id)

    def effects(self, failure_id: str, limit: int, prospect: Prospect) -> Iterator[Effect]:
        """What sending the oldest of them again would come to now."""
        with reader_of(self.engine).connect() as connection:
            found = self._oldest(connection, failure_id, limit)
        for entry, actor in found:
            sentence = self._sentence(entry, actor, prospect)
            yield Effect(command=entry.type, subject=entry.stream, sentence=sentence)

    def _oldest(
        self, connection: Connection, failure_id: str, limit: int
    ) -> list[tuple[LogEntry, Actor | None]]:
        """So many of those that somebody can still send; if nobody can, of the others."""
        sender_of = cache(self._sender)
        kept: list[tuple[LogEntry, Actor | None]] = []
        left: list[tuple[LogEntry, Actor | None]] = []
        for entry in [LogEntry(*row) for row in connection.execute(failed_of(failure_id))]:
            actor = sender_of(entry.operator)
            (kept if actor else left).append((entry, actor))
            if len(kept) == limit:
                break
        return kept or left[:limit]

    def _sender(self, name: str) -> Actor | None:
        """None also for the console's own processes, which send theirs again by themselves."""
        actor = self.actor_now(Actor(name))
        return actor if actor and actor.permissions else None

    def _sentence(self, entry: LogEntry, actor: Actor | None, prospect: Prospect) -> str:
        cls = self.commands().get(entry.type)
        label = cls.declaration.label if cls else entry.type
        about = f"{label} ({entry.stream}) by {entry.operator}"
        if cls is None:
            return f"{about}: this release has no such action, so it would be refused."
        if actor is None:
            return f"{about} would not be sent again: {entry.operator} may not act any more."
        try:
            command = parse(cls, masked_payload(entry.payload))
            [done] = prospect.rehearse([(command, _context(entry, actor))])
        except Invalid:
            return f"{about} would be sent again. It cannot be shown without personal values."
        except Exception as error:  # noqa: BLE001 - it is what the caller asks for
            return f"{about} would fail again: {type(error).__name__}."
        if done.error:
            return f"{about} would be refused: {done.error.sentence}"
        events = ", ".join(each.stored.type for each in done.events)
        return f"{about} would be carried out: {events or 'nothing would change'}."


def failed_of(failure_id: str) -> Select[Any]:
    """The rows of the commands of a failure that have failed and were not sent again, oldest
    first."""
    seen = failure_occurrences.c
    references = (
        select(seen.reference)
        .join(failures, failures.c.failure_id == seen.failure_id)
        .where(seen.failure_id == failure_id, failures.c.kind == "command")
    )
    log = command_log.c
    return (
        select(*(log[name] for name in LOG_FIELDS))
        .where(log.command_id.in_(references), log.outcome == "failed")
        .order_by(log.received_at, log.command_id)
    )


def _context(entry: LogEntry, actor: Actor) -> Context:
    return Context(
        actor=actor,
        channel=entry.channel,
        command_id=entry.command_id,
        expected_version=entry.expected_version,
        occurred_at=entry.occurred_at,
    )
