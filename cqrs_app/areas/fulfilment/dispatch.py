"""Carries out the commands in fulfilment's outbox, and its deadlines. Both functions may be called
by any process at any time. A command stays in the outbox until it has an outcome; its id makes a
repetition harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from cqrs_app.areas.fulfilment.ahead import payments_ahead, reached_by
from cqrs_app.areas.fulfilment.evolve_commands import BEYOND_ORDER
from cqrs_app.areas.fulfilment.inputs import CommandEnded, DeadlinePassed, input_of
from cqrs_app.areas.fulfilment.store import FulfilmentStore, Outgoing, in_transaction
from cqrs_app.areas.fulfilment.update import Cause, ProcessUpdate
from cqrs_app.areas.inventory.commands import (
    AdjustStock,
    ChangeReservation,
    CommitStock,
    ReleaseStock,
    ReserveStock,
)
from cqrs_app.areas.orders.commands import CancelOrder, HoldOrder, ReleaseOrder
from cqrs_app.areas.payments.commands import (
    AuthorisePayment,
    CapturePayment,
    RefundPayment,
    VoidPayment,
)
from cqrs_app.kernel import Command, Invalid, Refused
from cqrs_app.kernel.effects import (
    Actor,
    BusError,
    Context,
    Kernel,
    NotAllowed,
    Outcome,
    parse,
    reader_of,
)

AT_ONCE = 500
LONGEST_SENTENCE = 2_000

COMMANDS: MappingProxyType[str, type[Command]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            ReserveStock,
            ReleaseStock,
            ChangeReservation,
            CommitStock,
            AdjustStock,
            AuthorisePayment,
            CapturePayment,
            VoidPayment,
            RefundPayment,
            HoldOrder,
            ReleaseOrder,
            CancelOrder,
        )
    }
)
PERMISSIONS = frozenset(each.declaration.permission for each in COMMANDS.values())

logger = logging.getLogger("countersign.fulfilment")


class NotAnswered(Exception):
    """A command was neither carried out nor refused; the same one is tried again later."""


class Broken(BusError):
    """A programming error prevented it."""

    code = "failed"

    def __init__(self) -> None:
        super().__init__("It met a fault of the program; the command log has the details.")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """`actor` is who sends the commands."""

    kernel: Kernel
    actor: Actor

    def commands(self) -> bool:
        """Carry out the commands in the outbox and process their outcomes; returns whether any
        process changed. Raises NotAnswered after every available outcome has been processed.
        """
        kernel = self.kernel
        with reader_of(kernel.engines.write).connect() as connection:
            store = FulfilmentStore(connection, kernel.store, kernel.clock())
            outgoing = store.outgoing(AT_ONCE)
        if not outgoing:
            return False
        outcomes = self._carry_out(outgoing)
        ended = [
            (each, found)
            for each, outcome in zip(outgoing, outcomes, strict=True)
            if (found := _ended(each, outcome)) is not None
        ]
        if ended:
            self._take_in(ended)
        for outcome in outcomes:
            if outcome.error and not isinstance(outcome.error, _ANSWERS):
                raise NotAnswered(outcome.error.sentence)
        return True

    def _take_in(self, ended: Sequence[tuple[Outgoing, CommandEnded]]) -> None:
        kernel = self.kernel

        def take_in(connection: Connection) -> None:
            store = FulfilmentStore(connection, kernel.store, kernel.clock())
            updates = store.load(each.order_id for each, _ in ended)
            # Decided once per order: one with hundreds of products has as many outcomes.
            last: dict[str, Cause] = {}
            for each, item in ended:
                if item.code == BEYOND_ORDER:
                    _take_payments(connection, updates[each.order_id])
                if updates[each.order_id].note(item, each.cause):
                    last[each.order_id] = each.cause
            for order_id, cause in last.items():
                updates[order_id].go_on(cause)
            store.remove(each for each, _ in ended)
            store.save(updates.values())

        in_transaction(kernel.engines.write, take_in)

    def deadlines(self) -> bool:
        """Process the deadlines that have passed; returns whether there were any."""
        kernel = self.kernel
        now = kernel.clock()
        with reader_of(kernel.engines.write).connect() as connection:
            overdue = FulfilmentStore(connection, kernel.store, now).overdue(AT_ONCE)
        if not overdue:
            return False

        def take_in(connection: Connection) -> None:
            store = FulfilmentStore(connection, kernel.store, now)
            updates = store.load(overdue).values()
            for each in updates:
                due = each.process.due_at
                if due is not None and due <= now:
                    each.take(DeadlinePassed(), Cause(command_id=each.advance_id))
                # The row's deadline was that of an earlier wait, and is written again.
                each.changed = True
            store.save(updates)

        in_transaction(kernel.engines.write, take_in)
        return True

    def _carry_out(self, outgoing: Sequence[Outgoing]) -> list[Outcome]:
        items: list[tuple[Command, Context]] = []
        outcomes: dict[int, Outcome] = {}
        for each in outgoing:
            try:
                command = parse(
                    COMMANDS[each.type], msgspec.json.decode(each.arguments), from_text=True
                )
            except Invalid as invalid:
                outcomes[each.id] = Outcome(None, invalid)
            else:
                items.append((command, self._context(each)))
        carried_out = iter(self._execute(items))
        return [outcomes.get(each.id) or next(carried_out) for each in outgoing]

    def _execute(self, items: Sequence[tuple[Command, Context]]) -> list[Outcome]:
        if not items:
            return []
        try:
            return self.kernel.commands.execute_batch(items)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # One command met a programming error: the others do not wait for it.
            logger.exception("a batch of %d commands failed; each is tried alone", len(items))
            return [self._alone(*item) for item in items]

    def _alone(self, command: Command, context: Context) -> Outcome:
        try:
            return Outcome(self.kernel.commands.execute(command, context), None)
        except BusError as error:
            return Outcome(None, error)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # noqa: BLE001 - the next command shall not wait for it
            # The command log has the traceback.
            return Outcome(None, Broken())

    def _context(self, outgoing: Outgoing) -> Context:
        return Context(
            actor=self.actor,
            channel="process",
            command_id=outgoing.command_id,
            causation_id=outgoing.causation_id,
            correlation_id=outgoing.correlation_id,
        )


def _take_payments(connection: Connection, update: ProcessUpdate) -> None:
    """Take in the payments that the subscription has not processed yet: one of them is why a charge
    was refused. It would seem to need a decision until then."""
    for recorded in payments_ahead(connection, update.order_id, reached_by(connection)):
        update.take_once(input_of(recorded), recorded)


_ANSWERS = (Refused, NotAllowed, Invalid, Broken)


def _ended(outgoing: Outgoing, outcome: Outcome) -> CommandEnded | None:
    """None where it has no outcome yet."""
    error = outcome.error
    if error is None:
        return CommandEnded(no=outgoing.step, outcome="done")
    if not isinstance(error, _ANSWERS):
        return None
    return CommandEnded(
        no=outgoing.step,
        outcome="failed" if isinstance(error, Broken) else "refused",
        code=error.code,
        sentence=error.sentence[:LONGEST_SENTENCE],
    )
