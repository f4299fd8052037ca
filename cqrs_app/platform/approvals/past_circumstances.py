"""The circumstances of commands of the past, from the command log and the events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile
from typing import Any

import msgspec

from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.commands.aggregate import restore
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.privacy.personal import personal_fields
from cqrs_app.kernel.queries.past import Past
from cqrs_app.platform.approvals.circumstances import country_of, money_in
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


class PastCircumstances:
    """What conditions are compared with, for each command of the past. Streams are read once."""

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
        self._streams: dict[str, list[Recorded]] = {}

    def at(self, row: Any) -> Circumstances:
        """The circumstances of a command then. Raises Unclear."""
        fields = msgspec.json.decode(row.payload)
        self._require_readable(row)
        order, country, before = None, "", None
        if about_money(self.policy) or self.policy.statuses or self.policy.countries:
            before = self._restored(row, row.stream, self._handlers[row.type].aggregate)
            order_id = getattr(before, "order_id", "") or fields.get("order_id", "")
            if order_id:
                stream = Order.stream_of(order_id)
                order = self._restored(row, stream, Order)
                country = country_of([each.event for each in self._before(row, stream)])
        return Circumstances(
            command=row.type,
            fields=fields,
            moved=self._moved(row) if about_money(self.policy) else {},
            worth=(before and before.worth) or (order and order.worth) or {},
            status=str(getattr(order, "status", None) or ""),
            country=country,
            role=self._roles[row.operator],
            channel=row.channel,
        )

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
            yield self._stream(stream)[version - 1]

    def _restored(self, row: Any, stream: str, aggregate: Any) -> Any:
        return restore(aggregate, None, self._before(row, stream))

    def _before(self, row: Any, stream: str) -> list[Recorded]:
        """The events of a stream that the command found."""
        return list(
            takewhile(
                lambda each: (
                    each.stored.recorded_at <= row.received_at
                    and each.stored.command_id != row.command_id
                ),
                self._stream(stream),
            )
        )

    def _stream(self, stream: str) -> list[Recorded]:
        if stream not in self._streams:
            self._streams[stream] = self._past.recorded(stream)
        return self._streams[stream]
