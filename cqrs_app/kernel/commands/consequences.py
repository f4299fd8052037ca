"""What follows from a command once its events are followed: other commands that an area, such as a
process manager, would send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One consequence of a command. `command` would be sent and is about `subject`; `sentence` says
    it for people, `quantities` in figures. `certain` is off where it depends on an answer from
    outside."""

    command: str
    subject: str
    sentence: str
    certain: bool = True
    quantities: tuple[Quantity, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount in a currency, or units where that is empty, and what happens to it, as in "EUR
    5.00 will be refunded". `moves_money`: it is paid, one way or the other."""

    currency: str
    amount: Decimal
    verb: str
    moves_money: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a command would do now: its own events, and what would follow from them. `before` is its
    aggregate, at `version`."""

    before: Aggregate
    version: int
    events: tuple[Recorded, ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a further command would come to: its events, or the refusal."""

    events: tuple[Recorded, ...]
    error: BusError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What a command would do now. `past` are the events of any stream before it. `rehearse`
    decides further commands on top of it, in order; nothing is written."""

    command: Command
    events: tuple[Recorded, ...]
    past: Callable[[str], Sequence[Event]]
    rehearse: Callable[[Sequence[tuple[Command, Context]]], list[Rehearsed]]


Consequences = Callable[[Prospect], Iterable[Effect]]
"""An area's answer to what follows from a command: see `Area.consequences`."""
