"""Registered customers: profiles, counts by status, and the history of each."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from sqlalchemy import Table

from cqrs_app.areas.customers.customer import Customer
from cqrs_app.areas.customers.events import (
    CustomerAddressChanged,
    CustomerDeactivated,
    CustomerEmailChanged,
    CustomerErased,
    CustomerMerged,
    CustomerProfileUpdated,
    CustomerReactivated,
    CustomerRegistered,
)
from cqrs_app.areas.customers.read_models import (
    customer_counts,
    customer_history,
    customer_profiles,
)
from cqrs_app.areas.customers.words import CustomerStatus
from cqrs_app.kernel import (
    Projection,
    Recorded,
    Row,
    Rows,
    SubjectErased,
    erased,
    index_words,
    word_column,
)
from cqrs_app.standards.countries import country_name

ADDRESS = ("line1", "line2", "postal_code", "city")


class CustomerProfilesProjection(Projection):
    name: ClassVar[str] = "customer_profiles"
    version: ClassVar[int] = 5
    tables: ClassVar[tuple[Table, ...]] = (customer_profiles, customer_counts, customer_history)

    def customer_registered(
        self, event: CustomerRegistered, recorded: Recorded, rows: Rows
    ) -> None:
        rows.put(
            customer_profiles,
            customer_id=event.customer_id,
            status=str(CustomerStatus.ACTIVE),
            name=event.name,
            email=event.email,
            phone=event.phone,
            country=country_name(event.country),
            **dict.fromkeys(ADDRESS, ""),
            merged_into="",
            search="",
            registered_at=recorded.occurred_at,
        )
        rows.add(customer_counts, (str(CustomerStatus.ACTIVE),), customers=1)
        _changed(rows, recorded, event.customer_id, "Registered")

    def customer_email_changed(
        self, event: CustomerEmailChanged, recorded: Recorded, rows: Rows
    ) -> None:
        _changed(rows, recorded, event.customer_id, "E-mail changed", email=event.email)

    def customer_profile_updated(
        self, event: CustomerProfileUpdated, recorded: Recorded, rows: Rows
    ) -> None:
        country = country_name(event.country)
        values = {"name": event.name, "phone": event.phone, "country": country}
        _changed(rows, recorded, event.customer_id, "Profile updated", **values)

    def customer_address_changed(
        self, event: CustomerAddressChanged, recorded: Recorded, rows: Rows
    ) -> None:
        values = {name: getattr(event, name) for name in ADDRESS}
        _changed(rows, recorded, event.customer_id, "Address changed", **values)

    def customer_deactivated(
        self, event: CustomerDeactivated, recorded: Recorded, rows: Rows
    ) -> None:
        _move(rows, event.customer_id, CustomerStatus.DEACTIVATED)
        _changed(rows, recorded, event.customer_id, "Deactivated", reason=event.reason)

    def customer_reactivated(
        self, event: CustomerReactivated, recorded: Recorded, rows: Rows
    ) -> None:
        _move(rows, event.customer_id, CustomerStatus.ACTIVE)
        _changed(rows, recorded, event.customer_id, "Reactivated")

    def customer_merged(self, event: CustomerMerged, recorded: Recorded, rows: Rows) -> None:
        _move(rows, event.customer_id, CustomerStatus.MERGED)
        into = {"merged_into": event.into}
        _changed(rows, recorded, event.customer_id, f"Merged into {event.into}", **into)

    def subject_erased(self, event: SubjectErased, recorded: Recorded, rows: Rows) -> None:
        customer_id = event.subject.removeprefix(Customer.stream_of(""))
        for row in rows.where(customer_profiles, customer_id=customer_id):
            row |= {name: erased(row[name]) for name in ("name", "email", "phone", *ADDRESS)}
            row |= {"search": _search(row), "applied_version": recorded.version}
        for row in rows.where(customer_history, customer_id=customer_id):
            pairs = msgspec.json.decode(row["detail"], type=list[tuple[str, str]])
            row["detail"] = _detail([(name, erased(text)) for name, text in pairs])

    def customer_erased(self, event: CustomerErased, recorded: Recorded, rows: Rows) -> None:
        _move(rows, event.customer_id, CustomerStatus.ERASED)
        _changed(rows, recorded, event.customer_id, "Erased", reason=event.reason)


def _move(rows: Rows, customer_id: str, status: CustomerStatus) -> None:
    row = rows.change(customer_profiles, customer_id)
    rows.add(customer_counts, (row["status"],), customers=-1)
    rows.add(customer_counts, (str(status),), customers=1)
    row["status"] = str(status)


def _changed(
    rows: Rows, recorded: Recorded, customer_id: str, label: str, reason: str = "", **values: Any
) -> None:
    """Update the profile and add an entry to the history."""
    stored = recorded.stored
    row = rows.change(customer_profiles, customer_id)
    row |= values
    row |= {"search": _search(row), "applied_version": stored.version}
    rows.put(
        customer_history,
        customer_id=customer_id,
        version=stored.version,
        at=stored.occurred_at,
        recorded_at=stored.recorded_at,
        operator=stored.operator,
        type=stored.type,
        label=label,
        detail=_detail([("Reason", reason)] if reason else []),
        command_id=stored.command_id,
    )


def _search(row: Row) -> str:
    numbers = (row["customer_id"], row["phone"])
    return word_column(index_words((row["name"], row["email"]), numbers))


def _detail(pairs: list[tuple[str, str]]) -> str:
    return msgspec.json.encode(pairs).decode()
