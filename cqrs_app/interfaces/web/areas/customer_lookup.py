"""Registered customers by number, name, e-mail or phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.customers.queries import (
    VIEW,
    GetCustomerProfile,
    ListRegisteredCustomers,
    ProfileView,
)
from cqrs_app.areas.customers.words import CustomerStatus
from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.choices import Asked, Choice, Given, Lookup
from cqrs_app.kernel.errors import Invalid
from cqrs_app.services import services

MOST = 8
ADDRESS = ("name", "line1", "line2", "postal_code", "city", "country")
NOTHING: Mapping[str, Any] = MappingProxyType(
    {"customer_name": "", "country": "", "shipping_address": dict.fromkeys(ADDRESS, "")}
)
"""The values that a form had from another customer, and does not have from an unknown one."""
UNKNOWN = {
    "accept": ("Not registered.", "idle"),
    "flag": ("Not registered: the order will be flagged.", "warn"),
    "refuse": ("Not registered. Register the customer first, or leave this empty.", "bad"),
}
GONE = (CustomerStatus.ERASED, CustomerStatus.MERGED)
INACTIVE = {
    "accept": ("", "warn"),
    "flag": (": orders are flagged.", "warn"),
    "refuse": (": new orders are refused.", "bad"),
}


def _find(q: str, given: Given) -> Sequence[Choice]:
    page = ask(ListRegisteredCustomers(q=q, limit=MOST)).value
    return [_choice(each) for each in page.rows if each.status not in GONE]


def _about(asked: Sequence[Asked]) -> Sequence[Choice]:
    return [_about_one(customer_id) for customer_id, _ in asked]


def _about_one(customer_id: str) -> Choice:
    profile = _profile(customer_id)
    if profile is None:
        note, tone = UNKNOWN[services.settings.unknown_customers]
        return Choice(value=customer_id, note=note, tone=tone, fill=NOTHING)
    return _choice(profile)


def _choice(profile: ProfileView) -> Choice:
    note, tone = _account_note(profile)
    if profile.status is CustomerStatus.ERASED:
        return Choice(value=profile.customer_id, note=note, tone=tone)
    fill = {
        "customer_name": profile.name,
        "country": profile.country,
        "shipping_address": {part: getattr(profile, part) for part in ADDRESS},
    }
    text = " · ".join(filter(None, (profile.name, profile.email)))
    return Choice(value=profile.customer_id, text=text, fill=fill, note=note, tone=tone)


def _account_note(profile: ProfileView) -> tuple[str, str]:
    if profile.merged_into:
        return f"Merged into {profile.merged_into}, whose order this will be.", "warn"
    if profile.status is not CustomerStatus.ACTIVE:
        rest, tone = INACTIVE[services.settings.inactive_customers]
        return f"{profile.status.label}{rest}", tone
    if not profile.line1:
        return "No address saved.", "idle"
    return "", "good"


def _profile(customer_id: str) -> ProfileView | None:
    try:
        question = GetCustomerProfile(customer_id=customer_id)
    except Invalid:
        return None  # nobody has such a number; sending it says what is wrong with it
    found: ProfileView | None = ask(question, strong=True).value
    return found


CUSTOMERS = Lookup(
    permission=VIEW,
    find=_find,
    about=_about,
)
