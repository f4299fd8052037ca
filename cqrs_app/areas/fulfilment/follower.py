"""Follows the log, tells each order's way what happened to it, and carries out what it asks for.

Nothing here decides. Each event leads to commands with ids made from the event, so that whatever
is killed at whatever point is done again, and comes to the same: the command log is the inbox. A
task is an event of the order's way, committed with the state that wants it: the log is the outbox.
The cursor moves last.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import cast

from sqlalchemy.exc import InterfaceError, OperationalError

from cqrs_app.areas.fulfilment import events as was
from cqrs_app.areas.fulfilment.book import MOST_AT_ONCE, Book
from cqrs_app.areas.fulfilment.commands import (
    FOLLOW,
    BeginFulfilment,
    NoteDeadline,
    NoteStock,
    NoteTaskEnded,
)
from cqrs_app.areas.fulfilment.facts import ARRIVALS, note_of
from cqrs_app.areas.fulfilment.tasks import SENDS, command_for, told
from cqrs_app.areas.fulfilment.types import MOST_SAID, Line, Policy
from cqrs_app.areas.orders.events import OrderApproved, OrderPlaced
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.batch import Outcome
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import BusError, CommandReused, Invalid, NotAllowed, Refused
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command

NAME = "orders"
"""There is one follower; its wake-ups go by this name."""

PERMISSIONS = frozenset({FOLLOW, *(each.declaration.permission for each in SENDS.values())})

_NAMESPACE = uuid.UUID("8b8a6a0e-52a4-5a53-8f9b-0c5f3a7a4a11")

logger = logging.getLogger("countersign.fulfilment")

Item = tuple[Command, Context]


class NotAnswered(Exception):
    """A command could be neither carried out nor refused: the same is tried again later."""


class Follower:
    """`actor` is who tells and sends; `enabled` off: the log is passed over, nothing begins."""

    def __init__(self, kernel: Kernel, actor: Actor, policy: Policy, *, enabled: bool) -> None:
        self._kernel = kernel
        self._actor = actor
        self._policy = policy
        self._enabled = enabled
        self._book = Book(kernel.engines.write, kernel.clock)

    def due(self) -> list[str]:
        """The one name there is, if anything is to be done."""
        self._kernel.store.place()
        behind = bool(self._kernel.store.follow(self._book.position(), 1))
        return [NAME] if behind or (self._enabled and self._book.overdue()) else []

    def go_on(self, name: str = NAME) -> bool:
        """Take in a batch of the log, and what is overdue; whether there is more to do at once.

        Safe to call from anywhere at any time. Raises NotAnswered, UnknownEvent where a newer
        release wrote an event, and SQLAlchemyError while a database is away: then another call
        begins at the same place.
        """
        if self._enabled:
            self._tell_deadlines()
        self._kernel.store.place()
        after = self._book.position()
        found = self._kernel.store.follow(after, MOST_AT_ONCE)
        if not found:
            return False
        seen = self._kernel.registry.codec.decode_all(
            stored
            for stored in found
            # History happened elsewhere: nothing of it is left to be done.
            if stored.occurred_at == stored.recorded_at
        )
        if self._enabled:
            for is_task, group in groupby(seen, _is_task):
                (self._carry_out if is_task else self._tell)(list(group))
        self._book.move(after, found[-1].position or after, seen)
        return len(found) == MOST_AT_ONCE

    def _tell_deadlines(self) -> None:
        overdue = self._book.overdue()
        items = [
            (
                NoteDeadline(order_id=order_id, move_no=move_no),
                self._context(f"deadline {order_id} {move_no}"),
            )
            for order_id, move_no in overdue
        ]
        _require_answers(self._execute(items))
        self._book.forget(overdue)

    def _tell(self, group: Sequence[Recorded]) -> None:
        """Tell the orders' ways what happened."""
        items = [
            (command, self._context_of(recorded, command))
            for recorded in group
            for command in self._notes(recorded)
        ]
        _require_answers(self._execute(items))

    def _carry_out(self, group: Sequence[Recorded]) -> None:
        """Carry out tasks, and tell at once what came of each: before anything else that follows
        from them is told."""
        # Before anything is asked for: what arrives from now on is told.
        self._book.want(group)
        sent = [cast(was.FulfilmentTaskSent, recorded.event) for recorded in group]
        asked = [
            (_command_of(task), self._context_of(each))
            for task, each in zip(sent, group, strict=True)
        ]
        usable = [(each, context) for each, context in asked if isinstance(each, Command)]
        answers = iter(self._execute(usable))
        outcomes = [
            Outcome(None, each) if isinstance(each, Invalid) else next(answers) for each, _ in asked
        ]
        ended = [
            (_ended(task, outcome), self._context_of(recorded, "ended"))
            for recorded, task, outcome in zip(group, sent, outcomes, strict=True)
        ]
        _require_answers(self._execute(ended))

    def _notes(self, recorded: Recorded) -> Iterator[Command]:
        event = recorded.event
        if isinstance(event, OrderApproved):
            yield self._begin(event.order_id)
        elif type(event) in ARRIVALS:
            sku = event.sku  # type: ignore[attr-defined]  # every one of them has it
            for order_id in self._book.wanting(sku):
                yield NoteStock(order_id=order_id, sku=sku)
        else:
            note = note_of(recorded)
            if note:
                yield note

    def _begin(self, order_id: str) -> Command:
        stored = self._kernel.store.events_of(Order.stream_of(order_id), until=1)
        placed = self._kernel.registry.codec.decode(stored[0]).event
        if not isinstance(placed, OrderPlaced):
            raise TypeError(f"order {order_id} does not begin with OrderPlaced")
        return BeginFulfilment(
            order_id=order_id,
            currency=placed.currency,
            total=placed.total,
            lines=tuple(Line(sku=each.sku, quantity=each.quantity) for each in placed.lines),
            policy=self._policy,
        )

    def _execute(self, items: Sequence[Item]) -> list[Outcome]:
        if not items:
            return []
        try:
            return self._kernel.commands.execute_batch(items)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # One of them meets a fault of ours: the others shall not wait for it.
            logger.exception("a batch of %d commands failed; each is tried alone", len(items))
            return [self._alone(*item) for item in items]

    def _alone(self, command: Command, context: Context) -> Outcome:
        try:
            return Outcome(self._kernel.commands.execute(command, context), None)
        except BusError as error:
            return Outcome(None, error)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # noqa: BLE001 - the next task shall not wait for it
            # The command log has the traceback.
            return Outcome(None, Broken())

    def _context_of(self, recorded: Recorded, what: object = "") -> Context:
        stored = recorded.stored
        name = f"{stored.id} {what}" if isinstance(what, str) else f"{stored.id} {_name(what)}"
        return self._context(name, stored.id, stored.correlation_id)

    def _context(self, name: str, cause: str | None = None, correlation: str = "") -> Context:
        return Context(
            actor=self._actor,
            channel="process",
            command_id=str(uuid.uuid5(_NAMESPACE, name)),
            causation_id=cause,
            correlation_id=correlation,
        )


class Broken(BusError):
    """A fault of the program stood in the way."""

    code = "failed"

    def __init__(self) -> None:
        super().__init__("It met a fault of the program; the command log has the details.")


def _is_task(recorded: Recorded) -> bool:
    return isinstance(recorded.event, was.FulfilmentTaskSent)


def _name(command: object) -> str:
    order_id = getattr(command, "order_id", "")
    return f"{type(command).__name__} {order_id}"


def _command_of(task: was.FulfilmentTaskSent) -> Command | Invalid:
    """The task as a command, or why it cannot be one."""
    try:
        return command_for(task.task, told(task.arguments))
    except Invalid as invalid:
        return invalid


def _ended(task: was.FulfilmentTaskSent, outcome: Outcome) -> NoteTaskEnded:
    error = outcome.error
    if error is None:
        return NoteTaskEnded(order_id=task.order_id, task_no=task.task_no, outcome="done")
    if not isinstance(error, Refused | NotAllowed | Invalid | Broken):
        raise NotAnswered(error.sentence)
    return NoteTaskEnded(
        order_id=task.order_id,
        task_no=task.task_no,
        outcome="failed" if isinstance(error, Broken) else "refused",
        code=error.code,
        sentence=error.sentence[:MOST_SAID],
    )


def _require_answers(outcomes: Iterable[Outcome]) -> None:
    """An id that was used before with other values was told under another setting."""
    for outcome in outcomes:
        if outcome.error is not None and not isinstance(outcome.error, CommandReused):
            raise NotAnswered(outcome.error.sentence)
