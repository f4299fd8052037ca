"""A tiny club for tests of claims and personal data: members, and parcels sent to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta
from sqlalchemy import Column, Integer, String, Table

from cqrs_app.kernel.commands.aggregate import Aggregate, Claim
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command, Event, command, event
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.privacy.personal import ERASED, PERSONAL
from cqrs_app.kernel.projections.projection import Projection
from cqrs_app.kernel.projections.rows import Rows
from cqrs_app.kernel.registry import Area
from tests.kernel.shop import test_tables

parcels = Table(
    "test_parcels",
    test_tables,
    Column("parcel_id", String(60), primary_key=True),
    Column("member_id", String(60), nullable=False),
    Column("to", String(200), nullable=False),
    Column("applied_version", Integer, nullable=False),
)

Text = Annotated[str, Meta(max_length=200), PERSONAL]


@command(label="Join", permission="counters.change")
class Join(Command):
    member_id: str
    email: Text = ""


@command(label="Leave", permission="counters.change")
class Leave(Command):
    member_id: str


@command(label="Send", permission="counters.change")
class Send(Command):
    parcel_id: str
    member_id: str = ""
    to: Text = ""

    @property
    def concerns(self) -> str:
        return f"member-{self.member_id}" if self.member_id else ""


@command(label="Readdress", permission="counters.change")
class Readdress(Command):
    parcel_id: str
    to: Text


@event()
class Joined(Event):
    member_id: str
    email: Text


@event()
class Left(Event):
    member_id: str


@event()
class Sent(Event):
    parcel_id: str
    member_id: str
    to: Text

    @property
    def concerns(self) -> str:
        return f"member-{self.member_id}" if self.member_id else ""


@event()
class Readdressed(Event):
    parcel_id: str
    to: Text


@dataclass
class Member(Aggregate):
    category: ClassVar[str] = "member"
    identity: ClassVar[str] = "member_id"

    @handles(Join)
    def join(self, command: Join) -> Iterator[Event | Claim]:
        taken = Refused("email_taken", "Somebody else has this address.")
        yield Claim("test_email", command.email.casefold(), taken)
        yield Joined(member_id=command.member_id, email=command.email)

    @handles(Leave)
    def leave(self, command: Leave) -> Iterator[Event | Claim]:
        yield Claim("test_email", "", Refused("email_taken", ""))
        yield Left(member_id=command.member_id)
        yield SubjectErased(subject=f"member-{command.member_id}")

    def evolve(self, event: Event, at: datetime) -> None:
        """Members have no state."""


@dataclass
class Parcel(Aggregate):
    category: ClassVar[str] = "parcel"
    identity: ClassVar[str] = "parcel_id"

    member_id: str = ""

    @property
    def belongs_to(self) -> str:
        return f"member-{self.member_id}" if self.member_id else ""

    @handles(Send)
    def send(self, command: Send) -> Iterator[Event]:
        yield Sent(parcel_id=command.parcel_id, member_id=command.member_id, to=command.to)

    @handles(Readdress)
    def readdress(self, command: Readdress) -> Iterator[Event]:
        if command.to == "nowhere":
            raise Refused("nowhere", "There is no such place.")
        yield Readdressed(parcel_id=command.parcel_id, to=command.to)

    def evolve(self, event: Event, at: datetime) -> None:
        if isinstance(event, Sent):
            self.member_id = event.member_id


class ParcelsProjection(Projection):
    """Fails for a parcel to "poison"."""

    name: ClassVar[str] = "parcels"
    tables: ClassVar[tuple[Table, ...]] = (parcels,)
    cured = False

    def sent(self, event: Sent, recorded: Recorded, rows: Rows) -> None:
        rows.put(
            parcels,
            parcel_id=event.parcel_id,
            member_id=event.member_id,
            to=event.to,
            applied_version=recorded.version,
        )

    def readdressed(self, event: Readdressed, recorded: Recorded, rows: Rows) -> None:
        if event.to.startswith("poison") and not self.cured:
            raise LookupError(f"no place called {event.to}")
        row = rows.change(parcels, event.parcel_id)
        row["to"], row["applied_version"] = event.to, recorded.version

    def subject_erased(self, event: SubjectErased, recorded: Recorded, rows: Rows) -> None:
        for row in rows.where(parcels, member_id=event.subject.removeprefix("member-")):
            row["to"] = ERASED if row["to"] else ""


def club() -> Area:
    """A new area with its own projection."""
    return Area(
        name="club",
        aggregates=[Member, Parcel],
        events=[Joined, Left, Sent, Readdressed],
        projections=[ParcelsProjection()],
    )
