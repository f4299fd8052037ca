"""The rules of a credit note."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders import events as was
from cqrs_app.areas.orders.types import CreditedLine
from tests.areas.orders.given import ON, given

RECORD = do.RecordCreditNote(
    credit_note_id="C536379",
    customer_id="14527",
    country="United Kingdom",
    currency="GBP",
    reason="Discount",
    lines=(CreditedLine(sku="D", description="Discount", quantity=1, unit_price=Decimal("27.50")),),
)
RECORDED = was.CreditNoteRecorded(
    credit_note_id="C536379",
    customer_id="14527",
    country="United Kingdom",
    currency="GBP",
    reason="Discount",
    lines=(
        was.PricedLine(sku="D", description="Discount", quantity=1, unit_price=Decimal("27.50")),
    ),
    amount=Decimal("27.50"),
)


def test_a_credit_note_needs_no_order_and_no_customer() -> None:
    given().when(RECORD).then(RECORDED)


def test_a_credit_note_is_recorded_once() -> None:
    given(RECORDED).when(RECORD).refused(
        "credit_note_exists",
        f"There is a credit note C536379 already, recorded {ON}. "
        "Nothing was changed. Choose another number.",
    )


def test_what_is_no_country_is_refused_now_and_kept_of_history() -> None:
    record = replace(RECORD, country="Unspecified")
    given().when(record).refused("unknown_country")
    given().when(record, history=True).then(replace(RECORDED, country="Unspecified"))
