"""Customers' histories in memory: commands decided, their events recorded as the store would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from msgspec.structs import replace

from cqrs_app.areas.customers import CUSTOMERS
from cqrs_app.areas.customers import commands as do
from cqrs_app.areas.customers.customer import Customer
from cqrs_app.kernel.commands.aggregate import Decided, decide, restore
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import EventCodec, Recorded, StoredEvent
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.privacy.personal import ERASED, written
from cqrs_app.kernel.registry import Registry

REGISTRY = Registry([CUSTOMERS])
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
METHODS = CUSTOMERS.handles[Customer]


def recorded(events: Iterable[tuple[str, Event]]) -> list[Recorded]:
    """(stream, event) pairs as the log would give them back."""
    made: list[Recorded] = []
    versions: dict[str, int] = {}
    for position, (stream, event) in enumerate(events, start=1):
        versions[stream] = versions.get(stream, 0) + 1
        stored = StoredEvent(
            stream=stream,
            version=versions[stream],
            type=type(event).__name__,
            schema=event.schema,
            payload=REGISTRY.codec.encode(event),
            operator="ana",
            command_id=f"command-{position}",
            correlation_id=f"command-{position}",
            causation_id=None,
            occurred_at=START + timedelta(minutes=position),
            recorded_at=START + timedelta(minutes=position),
            position=position,
        )
        made.append(Recorded(event, stored))
    return made


def unreadable(each: Recorded, codec: EventCodec = REGISTRY.codec) -> Recorded:
    """The same event with its key destroyed."""
    payload = written(each.event, lambda text: ERASED)
    return codec.decode(replace(each.stored, payload=payload))


@dataclass
class History:
    events: list[tuple[str, Event]] = field(default_factory=list)

    def run(self, command: Command) -> Decided | Refused:
        stream = Customer.stream_for(command)
        mine = [each for each in recorded(self.events) if each.stream == stream]
        customer = restore(Customer, None, mine)
        try:
            decided = decide(customer, METHODS[type(command)], command, START)
        except Refused as refusal:
            return refusal
        self.events += [(stream, event) for event in decided.events]
        return decided


IDS = st.sampled_from(["1", "2", "A-3"])
NAMES = st.sampled_from(["", "Ana Lima", "Łukasz O'Neill", "Zoë"])
EMAILS = st.sampled_from(["ana@example.org", "BEN@example.org"])
REASONS = st.sampled_from(["asked for it by phone", "moved to another country"])
COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(
        do.RegisterCustomer,
        customer_id=IDS,
        name=NAMES,
        email=st.one_of(st.just(""), EMAILS),
        phone=st.sampled_from(["", "0113 4960000"]),
        country=st.sampled_from(["", "France"]),
    ),
    st.builds(do.ChangeCustomerEmail, customer_id=IDS, email=EMAILS),
    st.builds(do.UpdateCustomerProfile, customer_id=IDS, name=NAMES),
    st.builds(do.DeactivateCustomer, customer_id=IDS, reason=REASONS),
    st.builds(do.ReactivateCustomer, customer_id=IDS),
    st.builds(do.EraseCustomer, customer_id=IDS, reason=REASONS),
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Any sequence of commands, some of them refused."""
    history = History()
    for command in draw(st.lists(COMMANDS, max_size=30)):
        history.run(command)
    return history
