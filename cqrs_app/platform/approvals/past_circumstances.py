"""The circumstances of commands of the past, from the command log and the events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from cqrs_app.areas.orders.credit_note import CreditNote
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.privacy.personal import personal_fields
from cqrs_app.kernel.queries.past import Past
from cqrs_app.platform.approvals.circumstances import country_of, money_in, worth_of
from cqrs_app.platform.approvals.policy import ApprovalPolicy, Circumstances


class Unclear(Exception):
    """A condition cannot be evaluated for a command."""


def places_of(row: Any) -> Iterator[tuple[str, int]]:
    """The events that a command of the log wrote: stream and version."""
    for each in msgspec.json.decode(row.events):
        yield row.stream, each["version"]


@dataclass(frozen=True, slots=True)
class Caused:
    """A command that another command, or an event, caused, and the places of its events."""

    command_id: str
    causation_id: str
    places: tuple[tuple[str, int], ...]


def about_money(policy: ApprovalPolicy) -> bool:
    """Whether a condition is on amounts."""
    return policy.moves_money or policy.over is not None


@dataclass(slots=True)
class Replay:
    """A stream, folded once: `aggregate` is its state after the first `reached` of its `events`."""

    aggregate: Any
    events: Sequence[Recorded] = ()
    reached: int = 0

    def until(self, row: Any) -> None:
        """Go on to what a command found, which is not earlier than the command before."""
        while self.reached < len(self.events):
            event = self.events[self.reached]
            later = event.stored.recorded_at > row.received_at
            if later or event.stored.command_id == row.command_id:
                return
            self.aggregate.evolve(event.event, event.occurred_at)
            self.reached += 1


class PastCircumstances:
    """What conditions are compared with, for each command of the past, the oldest first. Streams
    are read at once and folded once, those that are about money: of orders, payments and the like,
    which are short. What moves stock moves no money."""

    def __init__(
        self,
        policy: ApprovalPolicy,
        handlers: Mapping[str, Handler],
        types: Mapping[str, type[Command]],
        past: Past,
        roles: Mapping[str, str],
        caused: Mapping[str, Sequence[Caused]],
    ) -> None:
        self.policy = policy
        self._handlers = handlers
        self._types = types
        self._past = past
        self._roles = roles
        self._caused = caused
        self._events: dict[str, list[Recorded]] = {}
        self._replays: dict[str, Replay] = {}

    def read(self, rows: Sequence[Any]) -> None:
        """Read the streams that these commands, and what followed, are about."""
        if not self._about_things:
            return
        caused = (each for many in self._caused.values() for each in many)
        followed = {stream for each in caused for stream, _ in each.places}
        self._read({row.stream for row in rows} | followed)
        self._read({Order.stream_of(each) for each in map(self._order_of, rows) if each})

    def at(self, row: Any) -> Circumstances:
        """The circumstances of a command then. Raises Unclear."""
        self._require_readable(row)
        order, country, about = None, "", dict[str, Decimal]()
        if self._about_things:
            own = tuple(self._recorded(places_of(row)))
            about = worth_of(self._before(row, row.stream).aggregate, own)
            if order_id := self._order_of(row):
                found = self._before(row, Order.stream_of(order_id))
                order = found.aggregate
                before = found.events[: found.reached]
                country = country_of(each.event for each in (*before[:1], *own))
        return Circumstances(
            command=row.type,
            fields=msgspec.json.decode(row.payload),
            moved=self._moved(row) if about_money(self.policy) else {},
            worth=about or (order and order.worth) or {},
            status=str(getattr(order, "status", None) or ""),
            country=country,
            role=self._roles[row.operator],
            channel=row.channel,
        )

    @property
    def _about_things(self) -> bool:
        """Whether a condition needs more than the command log."""
        return about_money(self.policy) or bool(self.policy.statuses or self.policy.countries)

    def _require_readable(self, row: Any) -> None:
        personal = personal_fields(self._types[row.type])
        if any(each.field in personal for each in self.policy.conditions):
            raise Unclear("A condition is on personal data.")
        if self.policy.asked_by and not self._roles[row.operator]:
            raise Unclear("Whoever sent it has no account any more.")
        if row.outcome == "requested" and about_money(self.policy):
            raise Unclear("It was requested, so nothing was moved at once.")

    def _moved(self, row: Any) -> dict[str, Decimal]:
        places = tuple(places_of(row))
        own = money_in(each.event for each in self._recorded(places))
        follow = money_in(each.event for each in self._following(row, places))
        none = Decimal(0)
        return {name: max(own.get(name, none), follow.get(name, none)) for name in own | follow}

    def _following(self, row: Any, places: Iterable[tuple[str, int]]) -> Iterator[Recorded]:
        """The events of what followed from a command, step by step. What else has its correlation
        id, such as the other items of its batch, did not."""
        causes = {row.command_id, *(each.stored.id for each in self._recorded(places))}
        left = self._caused.get(row.correlation_id, ())
        while found := [each for each in left if each.causation_id in causes]:
            left = [each for each in left if each.causation_id not in causes]
            written = [more for each in found for more in self._recorded(each.places)]
            yield from written
            causes = {each.command_id for each in found} | {each.stored.id for each in written}

    def _recorded(self, places: Iterable[tuple[str, int]]) -> Iterator[Recorded]:
        for stream, version in places:
            if stream in self._events:
                yield self._events[stream][version - 1]

    def _before(self, row: Any, stream: str) -> Replay:
        """The state that the command found in a stream."""
        if stream not in self._replays:
            cls = self._past.aggregate_of(stream) or Aggregate
            self._replays[stream] = Replay(cls(), self._events.get(stream, ()))
        replay = self._replays[stream]
        replay.until(row)
        return replay

    def _order_of(self, row: Any) -> str:
        """The id of the order that a command is about; empty if it is about none. No thing changes
        its order."""
        named: str = msgspec.json.decode(row.payload).get("order_id", "")
        aggregate = self._handlers[row.type].aggregate()
        for each in self._events.get(row.stream, ())[:1]:
            aggregate.evolve(each.event, each.occurred_at)
        return getattr(aggregate, "order_id", "") or named

    def _read(self, streams: Iterable[str]) -> None:
        wanted = [each for each in streams if each not in self._events and self._has_money(each)]
        self._events |= self._past.recorded_of(wanted)

    def _has_money(self, stream: str) -> bool:
        cls = self._past.aggregate_of(stream)
        return cls is CreditNote or (cls is not None and cls.worth is not Aggregate.worth)
