"""An amount has one text, through every interface and from every source."""

from __future__ import annotations

import csv
import dataclasses
import json
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from cqrs_app.installed_areas import MONEY
from cqrs_app.kernel.events.recorded import EventCodec, StoredEvent
from cqrs_app.platform.webhooks.messages import message_of
from cqrs_app.services import services_of
from tests.interfaces.api.conftest import Program, order
from tests.interfaces.web.pages.conftest import client_in

AMOUNTS = [
    ("GBP", "15.3", "15.30"),
    ("GBP", "15.3000", "15.30"),
    ("GBP", "0.001", "0.001"),
    ("JPY", "1500.0", "1500"),
    ("KWD", "2.5", "2.500"),
    ("KWD", "7", "7.000"),
]


def everywhere(console: Flask, admin: Program) -> dict[str, str]:
    """The total of the order A1 from each interface."""
    kernel = services_of(console).kernel
    kernel.runner.advance_all(kernel.registry.projections)
    [placed] = [each for each in kernel.store.events_of("order-A1") if each.type == "OrderPlaced"]

    def asked(name: str, **query: Any) -> Any:
        return admin.get(f"/queries/{name}", **query).json["value"]

    def exported(ending: str) -> str:
        return client_in(console, "admin").get(f"/exports/ListOrders.{ending}").text

    whole, strong = (
        asked("GetOrder", order_id="A1"),
        asked("GetOrder", order_id="A1", strong="true"),
    )
    [feed] = [each["data"] for each in admin.get("/events").json["events"][:1]]
    webhook = json.loads(message_of(placed, kernel.registry.codec).body)["data"]
    texts = dict(asked("OrderTimeline", order_id="A1")[0]["detail"])
    days = "2000-01-01"
    return {
        "list": asked("ListOrders")["rows"][0]["total"],
        "order": whole["total"],
        "line": whole["lines"][0]["unit_price"],
        "line's amount": whole["lines"][0]["amount"],
        "strong": strong["total"],
        "strong line": strong["lines"][0]["unit_price"],
        "timeline": texts["Total"].split(" ")[1],
        "revenue": asked("RevenueReport", day_from=days)["rows"][0]["revenue"],
        "average": asked("RevenueReport", day_from=days)["rows"][0]["average_order"],
        "product": asked("TopProducts", day_from=days)["rows"][0]["revenue"],
        "waiting": asked("OrdersByStage")[0]["waiting_value"][0]["amount"],
        "past": asked("StateAt", stream="order-A1")["state"]["total"],
        "feed": feed["total"],
        "webhook": webhook["total"],
        "webhook's line": webhook["lines"][0]["unit_price"],
        "stored": json.loads(placed.payload)["total"],
        "csv": next(csv.DictReader(exported("csv").splitlines()))["total"],
        "jsonl": json.loads(exported("jsonl").splitlines()[0])["total"],
    }


@pytest.mark.parametrize(("currency", "sent", "text"), AMOUNTS)
def test_an_amount_has_the_same_text_at_every_door(
    console: Flask, admin: Program, currency: str, sent: str, text: str
) -> None:
    line = {"sku": "85123A", "quantity": 1, "unit_price": sent}
    assert admin.do("PlaceOrder", **order(currency=currency, lines=[line])).status_code == 200
    assert everywhere(console, admin) == dict.fromkeys(everywhere(console, admin), text)
    # The second answer comes from the cache.


def test_payments_and_credit_notes_have_the_digits_of_their_currency(
    console: Flask, admin: Program
) -> None:
    line = {"sku": "85123A", "quantity": 1, "unit_price": "4"}
    note = order(currency="KWD", lines=[line]) | {"credit_note_id": "C1"}
    del note["order_id"]
    assert admin.do("RecordCreditNote", **note).status_code == 200
    admin.do("PlaceOrder", **order(currency="KWD", lines=[line]))
    assert admin.do("ApproveOrder", order_id="A1").status_code == 200
    paid = {"payment_id": "P1", "order_id": "A1", "currency": "KWD", "amount": "1.5"}
    assert (
        admin.do("RecordPayment", **paid, method="bank transfer", reference="B1").status_code == 200
    )
    kernel = services_of(console).kernel
    kernel.runner.advance_all(kernel.registry.subscriptions)

    def rows(name: str) -> Any:
        return admin.get(f"/queries/{name}").json["value"]["rows"]

    assert rows("ListCreditNotes")[0]["amount"] == "4.000"
    assert rows("ListPayments")[0]["captured"] == "1.500"
    assert {row["amount"] for row in rows("ListLedger")} == {"1.500", "-1.500"}
    way = admin.get("/queries/GetFulfilment", order_id="A1").json["value"]
    assert (way["unpaid"], way["currency"]) == ("2.500", "KWD")


def test_events_of_an_earlier_release_are_read_with_the_digits_of_their_currency(
    console: Flask, admin: Program
) -> None:
    admin.do("PlaceOrder", **order())
    kernel = services_of(console).kernel
    [placed] = list(kernel.store.events_of("order-A1"))[:1]
    payload = json.loads(placed.payload) | {"total": "15.3000"}
    payload["lines"][0]["unit_price"] = "2.5500"
    earlier = StoredEvent(
        **{name: getattr(placed, name) for name in placed.__struct_fields__}
        | {"payload": json.dumps(payload)}
    )
    event: Any = kernel.registry.codec.decode(earlier).event
    assert (str(event.total), str(event.lines[0].unit_price)) == ("15.30", "2.55")
    as_it_is: Any = EventCodec([type(event)], {}).decode(earlier).event
    assert str(as_it_is.total) == "15.3000"


def test_a_decimal_whose_currency_nothing_names_is_found_at_the_start() -> None:
    price = dataclasses.make_dataclass("Price", [("amount", Decimal)])
    with pytest.raises(TypeError, match="is a decimal with no currency beside it"):
        MONEY.writer(price)
