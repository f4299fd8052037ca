"""What a form shows before anyone has typed: the present values, a free number."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec

from cqrs_app.areas.customers.commands import (
    ChangeCustomerEmail,
    RegisterCustomer,
    UpdateCustomerProfile,
)
from cqrs_app.areas.customers.queries import GetCustomerProfile
from cqrs_app.areas.orders.commands import ChangeShippingAddress, PlaceOrder, RecordCreditNote
from cqrs_app.areas.orders.queries.customers import GetCustomer
from cqrs_app.areas.orders.queries.one_order import GetOrder
from cqrs_app.areas.payments.commands import AuthorisePayment, RecordPayment
from cqrs_app.interfaces.web.ask import ask
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.webhooks.commands import ChangeWebhook
from cqrs_app.platform.webhooks.queries import GetWebhook

Given = Mapping[str, str]


def suggestions(cls: type[Command], given: Given) -> dict[str, Any]:
    """Values for the fields of a task's form, beside those that are given already."""
    suggest = _SUGGESTIONS.get(cls)
    return suggest(given) if suggest else {}


def usable(cls: type[Command], given: Given) -> dict[str, Any]:
    """What an address says of the fields, as their values; what cannot be one is left out."""
    values = {}
    for name, text in given.items():
        with suppress(msgspec.ValidationError):
            values[name] = msgspec.convert(text, hints_of(cls)[name], strict=False)
    return values


def _present_address(given: Given) -> dict[str, Any]:
    order = ask(GetOrder(order_id=given["order_id"])).value if "order_id" in given else None
    return {"address": asdict(order.shipping_address)} if order else {}


def _present_webhook(given: Given) -> dict[str, Any]:
    if "webhook_id" not in given:
        return {}
    webhook = ask(GetWebhook(webhook_id=given["webhook_id"])).value
    names = ("url", "event_types", "description")
    return {name: getattr(webhook, name) for name in names} if webhook else {}


def _present_customer(given: Given) -> dict[str, Any]:
    """What is registered, else what the newest order says."""
    if "customer_id" not in given:
        return {}
    customer_id = given["customer_id"]
    profile = ask(GetCustomerProfile(customer_id=customer_id), strong=True).value
    known = profile or ask(GetCustomer(customer_id=customer_id)).value
    names = ("name", "email", "phone", "country")
    return {name: getattr(known, name) for name in names if hasattr(known, name)}


def _free_number(given: Given) -> dict[str, Any]:
    return {"order_id": f"W{_number()}"}


def _free_credit_number(given: Given) -> dict[str, Any]:
    return {"credit_note_id": f"CN{_number()}"}


def _free_payment_number(given: Given) -> dict[str, Any]:
    return {"payment_id": f"P{_number()}"}


def _number() -> str:
    # Not counted up: two people who open the form at once must not get the same one.
    return f"{datetime.now(UTC):%y%m%d}-{secrets.randbelow(1_000_000):06d}"


_SUGGESTIONS: dict[type[Command], Callable[[Given], dict[str, Any]]] = {
    ChangeCustomerEmail: _present_customer,
    ChangeShippingAddress: _present_address,
    ChangeWebhook: _present_webhook,
    PlaceOrder: _free_number,
    RecordCreditNote: _free_credit_number,
    RegisterCustomer: _present_customer,
    UpdateCustomerProfile: _present_customer,
    AuthorisePayment: _free_payment_number,
    RecordPayment: _free_payment_number,
}
