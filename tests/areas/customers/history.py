"""Generated histories of a few customers."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st
from msgspec.structs import replace

from cqrs_app.areas.customers import CUSTOMERS
from cqrs_app.areas.customers import commands as do
from cqrs_app.kernel import testing
from cqrs_app.kernel.events.recorded import EventCodec, Recorded
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.privacy.personal import ERASED, written
from cqrs_app.kernel.registry import Registry

REGISTRY = Registry([CUSTOMERS])
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def unreadable(each: Recorded, codec: EventCodec = REGISTRY.codec) -> Recorded:
    """The same event after its key was destroyed."""
    payload = written(each.event, lambda text: ERASED)
    return codec.decode(replace(each.stored, payload=payload))


class History(testing.History):
    """What happened to customers since START."""

    def __init__(self) -> None:
        super().__init__(REGISTRY, START)


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
    st.builds(
        do.ChangeCustomerAddress,
        customer_id=IDS,
        line1=st.just("Rue Haute 5"),
        city=st.sampled_from(["Lille", "Łódź"]),
    ),
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
