"""A credit note on a customer's account: recorded once, never changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.areas.orders.amounts import price_of
from cqrs_app.areas.orders.commands import RecordCreditNote
from cqrs_app.areas.orders.events import CreditNoteRecorded, PricedLine
from cqrs_app.areas.orders.rules import (
    CREDIT_NOTE_EXISTS,
    IN_THE_FUTURE,
    in_the_future,
    moment,
)
from cqrs_app.areas.types import UNKNOWN_COUNTRY, unknown_country
from cqrs_app.kernel import Aggregate, Command, Decision, Event, Refused, handles
from cqrs_app.standards.money import exact


@dataclass
class CreditNote(Aggregate):
    """`recorded` is when it was recorded; None before."""

    category: ClassVar[str] = "credit_note"
    identity: ClassVar[str] = "credit_note_id"

    recorded: datetime | None = None

    @handles(RecordCreditNote, refusals=[CREDIT_NOTE_EXISTS, UNKNOWN_COUNTRY, IN_THE_FUTURE])
    def record(self, command: RecordCreditNote) -> Decision:
        if self.recorded:
            raise CREDIT_NOTE_EXISTS.because(
                f"There is a credit note {command.credit_note_id} already, recorded on "
                f"{moment(self.recorded)}.",
                "Choose another number.",
            )
        yield from unknown_country(command.country)
        yield CreditNoteRecorded(
            credit_note_id=command.credit_note_id,
            customer_id=command.customer_id,
            country=command.country,
            currency=command.currency,
            reason=command.reason,
            lines=tuple(
                PricedLine(
                    sku=line.sku,
                    description=line.description,
                    quantity=line.quantity,
                    unit_price=exact(line.unit_price, command.currency),
                )
                for line in command.lines
            ),
            amount=exact(price_of(command.lines), command.currency),
        )

    def evolve(self, event: Event, at: datetime) -> None:
        if isinstance(event, CreditNoteRecorded):
            self.recorded = at

    def doubts(self, at: datetime, now: datetime) -> Iterator[Refused]:
        yield from in_the_future(at, now)

    def flag(self, objection: Refused, command: Command) -> Event | None:
        """Imported history may have a country that is not in ISO 3166, or an hour that clocks
        skipped, but no time in the future.
        """
        if objection.code in (CREDIT_NOTE_EXISTS.code, IN_THE_FUTURE.code):
            raise objection
        return None
