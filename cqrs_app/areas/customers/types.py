"""Types of the fields of customers' commands, with their limits and labels."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.types import address_part, identifier, reason
from cqrs_app.kernel import ONE_LINE, PERSONAL, NormalForm
from cqrs_app.standards.email import email_address

SHORTEST_REASON = 10

CustomerId = Annotated[str, identifier("Customer number", "12583")]
Name = Annotated[
    str,
    PERSONAL,
    Meta(
        title="Name",
        examples=["Ana Lima"],
        pattern=ONE_LINE,
        max_length=200,
        extra={"autocomplete": "name"},
    ),
]
Phone = Annotated[
    str,
    PERSONAL,
    Meta(
        title="Phone",
        examples=["+33 3 20 00 00 00"],
        pattern=ONE_LINE,
        max_length=40,
        extra={"autocomplete": "tel", "inputmode": "tel"},
    ),
]
Street = Annotated[str, PERSONAL, address_part("Street", "address-line1", 200, "Rue Haute 5")]
SecondLine = Annotated[str, PERSONAL, address_part("Second line", "address-line2", 200)]
City = Annotated[str, PERSONAL, address_part("City", "address-level2", 100, "Lille")]
PostalCode = Annotated[str, PERSONAL, address_part("Postal code", "postal-code", 30, "59000")]


def _email(pattern: str, description: str) -> Meta:
    return Meta(
        title="E-mail",
        examples=["ana@example.org"],
        description=description,
        pattern=pattern,
        max_length=254,
        extra={"autocomplete": "email", "inputmode": "email"},
    )


_IS_ADDRESS = NormalForm(email_address)
Email = Annotated[
    str, PERSONAL, _IS_ADDRESS, _email(r"^[^@]+@[^@]+(?!\n)$", "No two customers share one.")
]
EmailOrNone = Annotated[
    str,
    PERSONAL,
    _IS_ADDRESS,
    _email(r"^([^@]+@[^@]+)?(?!\n)$", "No two customers share one. Empty where there is none."),
]


def _reason(description: str) -> Meta:
    return reason(description, least=SHORTEST_REASON, example="Asked for it in writing.")


WrittenReason = Annotated[str, PERSONAL, _reason("At least ten characters. Kept in the history.")]
ErasureReason = Annotated[
    str, _reason("At least ten characters. It is kept: write nothing personal in it.")
]
