"""The rows of batches: items are frozen, taken, and given an outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, bindparam, delete, func, select, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.commands.consequences import Quantity
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.platform.approvals.commands import SignRequest
from cqrs_app.platform.batches.chosen import Chosen, add_items
from cqrs_app.platform.batches.commands import CreateBatch
from cqrs_app.platform.batches.counts import Move, add_effects, count_anew, lock, moved, rows_of
from cqrs_app.platform.batches.tables import batch_counts, batch_effects, batch_items, batches
from cqrs_app.platform.batches.words import BatchState, Outcome
from cqrs_app.platform.macros.macros import Macro
from cqrs_app.platform.macros.steps import Step

LEASE = Lease(timedelta(seconds=10))
CHUNK = 500
"""Items that are taken at once."""
FROZEN = "frozen"
"""The state of a batch whose BatchCreated is not in the log."""
STRAYS_KEPT = timedelta(days=1)
"""How long the items of a finished batch are kept. The command log keeps their commands."""
_BATCH, _ITEM = batches.c, batch_items.c


@dataclass(frozen=True, slots=True)
class Item:
    """An item to be checked or sent."""

    number: int
    subject: str
    version: int | None
    attempt: int
    step: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an item, or is expected to, at this step, the last one that was tried;
    `sentence` says why it was not done."""

    number: int
    outcome: Outcome
    code: str = ""
    sentence: str = ""
    step: int = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch that is leased. Each item becomes the commands of the `steps`, in order; `from_text`:
    their fields are texts. The versions of items are those of `command`'s stream. `sender` is its
    creator, with the permissions of then."""

    batch_id: str
    command: str
    steps: Sequence[Step]
    from_text: bool
    sender: Actor
    state: str
    sending: bool


class Items:
    """The items of batches, in the write store."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def freeze(
        self,
        batch_id: str,
        command: str,
        fields: Mapping[str, Any],
        source: str,
        chosen: Iterable[Chosen],
        *,
        creator: Actor,
        macro: Macro | None = None,
    ) -> int:
        """Store what a batch is about; returns how many items it has. Repeated ones count once.
        `command` is the one of the macro whose version is checked.

        A batch that exists already is left as it is. Raises Invalid if it is somebody else's.
        """
        row = {
            "batch_id": batch_id,
            "command": command,
            "fields": msgspec.json.encode(fields).decode(),
            "source": source,
            "created_by": creator.name,
            "permissions": " ".join(sorted(creator.permissions)),
            "created_at": self._clock(),
            "state": FROZEN,
            "total": 0,
            "sending": False,
            "macro": macro.name if macro else "",
            "steps": "\n".join(macro.steps) if macro else "",
        }
        with self._engine.begin() as connection:
            added = insert_into(connection, batches).on_conflict_do_nothing()
            if connection.execute(added.returning(_BATCH.batch_id), row).scalar() is None:
                known = select(batches).where(_BATCH.batch_id == batch_id).with_for_update()
                existing = connection.execute(known).one()
                if existing.state != FROZEN:
                    _check_creator(existing, creator.name)
                    total: int = existing.total
                    return total
                # Frozen for a batch that was never created: nobody has seen it.
                connection.execute(delete(batch_items).where(_ITEM.batch_id == batch_id))
                mine = update(batches).where(_BATCH.batch_id == batch_id)
                connection.execute(mine.values(**row))
            total = add_items(connection, batch_id, chosen)
            frozen = update(batches).where(_BATCH.batch_id == batch_id)
            connection.execute(frozen.values(total=total))
            count_anew(connection, batch_id)
        return total

    def is_frozen(self, command: CreateBatch) -> bool:
        """Whether the command describes a batch whose items are stored."""
        found = select(_BATCH.batch_id).where(
            _BATCH.batch_id == command.batch_id,
            _BATCH.command == command.command,
            _BATCH.total == command.total,
            _BATCH.macro == command.macro,
        )
        with self._reader.connect() as connection:
            return connection.execute(found).first() is not None

    def commands_of(self, batch_id: str) -> tuple[str, ...]:
        """The names of the commands of a batch; none if there is no such batch."""
        found = select(_BATCH.command, _BATCH.fields, _BATCH.steps)
        with self._reader.connect() as connection:
            row = connection.execute(found.where(_BATCH.batch_id == batch_id)).one_or_none()
        return tuple(step.command for step in steps_in(row)) if row else ()

    def creator_of(self, batch_id: str) -> str | None:
        """The name of its creator, under which items are sent."""
        found = select(_BATCH.created_by).where(_BATCH.batch_id == batch_id)
        with self._reader.connect() as connection:
            name: str | None = connection.execute(found).scalar()
        return name

    def is_being_checked(self, batch_id: str) -> bool:
        """Whether nobody knows yet what all of its items would come to."""
        found = select(_BATCH.state).where(_BATCH.batch_id == batch_id)
        with self._reader.connect() as connection:
            return connection.execute(found).scalar() in (FROZEN, BatchState.CHECKING)

    def due(self) -> list[str]:
        """The batches with something to check or to send, oldest first."""
        busy = _BATCH.state.in_([BatchState.CHECKING, BatchState.RUNNING]) | _BATCH.sending
        found = select(_BATCH.batch_id).where(busy, LEASE.is_free(_BATCH.lease_until))
        with self._reader.connect() as connection:
            return list(connection.execute(found.order_by(_BATCH.created_at)).scalars())

    def take(self, batch_id: str) -> Taken | None:
        """The batch, leased; None if another process has it."""
        taken = (
            update(batches)
            .where(_BATCH.batch_id == batch_id, LEASE.is_free(_BATCH.lease_until))
            .values(lease_until=LEASE.end())
            .returning(*_TAKEN)
        )
        with self._engine.begin() as connection:
            row = connection.execute(taken).one_or_none()
        return None if row is None else _taken(row)

    def renew(self, batch_id: str) -> Taken:
        """The batch as it is now, with the lease renewed."""
        renewed = update(batches).where(_BATCH.batch_id == batch_id)
        with self._engine.begin() as connection:
            extended = renewed.values(lease_until=LEASE.end()).returning(*_TAKEN)
            return _taken(connection.execute(extended).one())

    def release(self, batch_id: str) -> None:
        with self._engine.begin() as connection:
            mine = update(batches).where(_BATCH.batch_id == batch_id)
            connection.execute(mine.values(lease_until=None))

    def unchecked(self, batch_id: str) -> list[Item]:
        """The next items to check, CHUNK at most."""
        return self._next(_ITEM.batch_id == batch_id, _ITEM.expected == "")

    def checked(
        self,
        batch_id: str,
        results: Sequence[Result],
        effects: Mapping[int, Sequence[Quantity]] = MappingProxyType({}),
    ) -> None:
        """Record what is expected of each item, and what would follow from those previewed."""
        foreseen = (
            update(batch_items)
            .where(
                _ITEM.batch_id == batch_id,
                _ITEM.number == bindparam("n"),
                _ITEM.outcome == Outcome.WAITING,
            )
            .values(expected=bindparam("o"), code=bindparam("c"), sentence=bindparam("s"))
        )
        after = {each.number: each.outcome for each in results}
        with self._engine.begin() as connection:
            lock(connection, batch_id)
            rows = rows_of(connection, batch_id, list(after), _ITEM.outcome == Outcome.WAITING)
            connection.execute(foreseen, _parameters(results))
            moves = (_move(row.expected, after[row.number], row) for row in rows)
            moved(connection, batch_id, moves, foreseen=True)
            unchecked = {row.number for row in rows if not row.expected}
            add_effects(
                connection,
                batch_id,
                (each for number, each in effects.items() if number in unchecked),
            )

    def ready(self, batch_id: str) -> None:
        """Every item is checked."""
        with self._engine.begin() as connection:
            here = (_BATCH.batch_id == batch_id, _BATCH.state == BatchState.CHECKING)
            connection.execute(update(batches).where(*here).values(state=BatchState.READY))

    def send(self, batch_id: str) -> list[Item]:
        """Take the next items, CHUNK at most. They are finished whatever is decided from now on."""
        with self._engine.begin() as connection:
            # Locked, so that they are taken before a decision on the batch or after it.
            mine = select(_BATCH.state).where(_BATCH.batch_id == batch_id).with_for_update()
            if connection.execute(mine).scalar() != BatchState.RUNNING:
                return []
            waiting = (
                select(_ITEM.number)
                .where(_ITEM.batch_id == batch_id, _ITEM.outcome == Outcome.WAITING)
                .order_by(_ITEM.number)
                .limit(CHUNK)
                .subquery()
            )
            # A range of one index, whatever the database believes of a batch that is new to it:
            # with the numbers themselves it may compare each item with each of them.
            last = select(func.max(waiting.c.number)).scalar_subquery()
            taken = (
                update(batch_items)
                .where(
                    _ITEM.batch_id == batch_id,
                    _ITEM.outcome == Outcome.WAITING,
                    _ITEM.number <= last,
                )
                .values(outcome=Outcome.SENDING)
                .returning(*_OF_ITEM, _ITEM.currency, _ITEM.amount)
            )
            rows = connection.execute(taken).all()
            items = sorted(
                (Item(row.number, row.subject, row.version, row.attempt, row.step) for row in rows),
                key=lambda each: each.number,
            )
            if items:
                moves = (_move(Outcome.WAITING, Outcome.SENDING, row) for row in rows)
                moved(connection, batch_id, moves)
                here = update(batches).where(_BATCH.batch_id == batch_id)
                connection.execute(here.values(sending=True))
        return items

    def sending(self, batch_id: str) -> list[Item]:
        """The items that were taken and have no outcome: of a process that died."""
        return self._next(_ITEM.batch_id == batch_id, _ITEM.outcome == Outcome.SENDING)

    def finished(self, batch_id: str, results: Sequence[Result]) -> None:
        """Record the outcomes of the items that were taken."""
        ended = (
            update(batch_items)
            .where(
                _ITEM.batch_id == batch_id,
                _ITEM.number == bindparam("n"),
                _ITEM.outcome == Outcome.SENDING,
            )
            .values(
                outcome=bindparam("o"),
                code=bindparam("c"),
                sentence=bindparam("s"),
                step=bindparam("p"),
                finished_at=self._clock(),
            )
        )
        with self._engine.begin() as connection:
            lock(connection, batch_id)
            if results:
                after = {each.number: each.outcome for each in results}
                rows = rows_of(connection, batch_id, list(after), _ITEM.outcome == Outcome.SENDING)
                parameters = zip(results, _parameters(results), strict=True)
                connection.execute(ended, [more | {"p": each.step} for each, more in parameters])
                moves = (_move(Outcome.SENDING, after[row.number], row) for row in rows)
                moved(connection, batch_id, moves)
            left = select(_ITEM.number).where(
                _ITEM.batch_id == batch_id, _ITEM.outcome == Outcome.SENDING
            )
            here = update(batches).where(_BATCH.batch_id == batch_id)
            connection.execute(here.values(sending=left.exists()))

    def has_waiting(self, batch_id: str) -> bool:
        return bool(
            self._next(_ITEM.batch_id == batch_id, _ITEM.outcome == Outcome.WAITING, most=1)
        )

    def forget_strays(self) -> int:
        """Delete items that nobody made a batch of within a day."""
        before = self._clock() - STRAYS_KEPT
        return self._forget((_BATCH.state == FROZEN) & (_BATCH.created_at < before))

    def forget_before(self, moment: datetime) -> int:
        """Delete batches that ended before, or were created then and not started; returns how
        many."""
        unstarted = (_BATCH.state == BatchState.READY) & (_BATCH.created_at < moment)
        return self._forget(_BATCH.finished_at < moment, unstarted)

    def _forget(self, *conditions: ColumnElement[bool]) -> int:
        # One condition at a time, so that each is found by its index.
        with self._reader.connect() as connection:
            found = [
                batch_id
                for condition in conditions
                for batch_id in connection.execute(
                    select(_BATCH.batch_id).where(condition)
                ).scalars()
            ]
        for batch_id in found:
            with self._engine.begin() as connection:
                connection.execute(delete(batch_items).where(_ITEM.batch_id == batch_id))
                for kept in (batch_counts, batch_effects):
                    connection.execute(delete(kept).where(kept.c.batch_id == batch_id))
                connection.execute(delete(batches).where(_BATCH.batch_id == batch_id))
        return len(found)

    def _next(self, *where: Any, most: int = CHUNK) -> list[Item]:
        found = select(*_OF_ITEM).where(*where).order_by(_ITEM.number).limit(most)
        with self._reader.connect() as connection:
            return [Item(*row) for row in connection.execute(found)]


_OF_ITEM = (_ITEM.number, _ITEM.subject, _ITEM.version, _ITEM.attempt, _ITEM.step)
_TAKEN = (
    _BATCH.batch_id,
    _BATCH.command,
    _BATCH.fields,
    _BATCH.steps,
    _BATCH.created_by,
    _BATCH.permissions,
    _BATCH.state,
    _BATCH.sending,
)


def _check_creator(existing: Any, created_by: str) -> None:
    if existing.created_by != created_by:
        sentence = "Another batch has this id. Nothing was created. Leave it out, or use a new one."
        raise Invalid("The batch", {"batch_id": sentence})


def _move(before: str, after: str, row: Any) -> Move:
    return Move(before, after, row.currency, row.amount)


def _parameters(results: Iterable[Result]) -> list[dict[str, Any]]:
    return [
        {"n": each.number, "o": each.outcome, "c": each.code, "s": each.sentence}
        for each in results
    ]


def command_id(batch_id: str, number: int, attempt: int, step: int) -> str:
    """Of one step of an item. That of the first one does not name it."""
    return f"{batch_id}.{number}.{attempt}" + (f".{step}" if step > 1 else "")


def steps_in(row: Any) -> tuple[Step, ...]:
    """The steps of a batch's row: those of its macro, or its one command."""
    if row.steps:
        return tuple(map(Step.from_text, row.steps.split("\n")))
    return (Step(row.command, msgspec.json.decode(row.fields)),)


def signs(steps: Iterable[Step]) -> bool:
    """Whether requests for approval are signed by any of these."""
    return any(step.command == SignRequest.__name__ for step in steps)


def _taken(row: Any) -> Taken:
    return Taken(
        batch_id=row.batch_id,
        command=row.command,
        steps=steps_in(row),
        from_text=bool(row.steps),
        sender=Actor(row.created_by, frozenset(row.permissions.split())),
        state=row.state,
        sending=row.sending,
    )
