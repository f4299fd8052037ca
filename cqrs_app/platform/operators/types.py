"""The value types of operators and roles, with their limits and labels."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.types import Currency, money
from cqrs_app.kernel.messages.messages import value
from cqrs_app.kernel.messages.patterns import ONE_LINE
from cqrs_app.platform.operators.tables import NAME_LENGTH, ROLE_LENGTH

OperatorName = Annotated[
    str,
    Meta(
        title="Operator",
        examples=["maria"],
        description="Small letters, digits, point, underscore and hyphen.",
        pattern=rf"^[a-z0-9][a-z0-9._\-]{{0,{NAME_LENGTH - 1}}}(?!\n)$",
        min_length=1,
        max_length=NAME_LENGTH,
        extra={"autocomplete": "off", "spellcheck": "false", "help": ""},
    ),
]
RoleName = Annotated[
    str,
    Meta(
        title="Role",
        examples=["operator"],
        description="Small letters, digits and hyphens.",
        pattern=rf"^[a-z0-9][a-z0-9\-]{{0,{ROLE_LENGTH - 1}}}(?!\n)$",
        min_length=1,
        max_length=ROLE_LENGTH,
        extra={"help": ""},
    ),
]
CustomRoleName = Annotated[RoleName, Meta(examples=["returns-desk"])]
_Name = Annotated[str, Meta(pattern=ONE_LINE, min_length=1, max_length=60)]
Permissions = Annotated[
    tuple[_Name, ...],
    Meta(title="Permissions", examples=[["orders.view"]], min_length=1, max_length=200),
]
Countries = Annotated[
    tuple[_Name, ...],
    Meta(
        title="Only orders to these countries",
        description="One per line. Empty for all.",
        examples=[["Ireland"]],
        max_length=100,
    ),
]
Teams = Annotated[
    tuple[_Name, ...],
    Meta(
        title="Only orders of these teams",
        description="Orders that are assigned to the team or to the operator. One per line. Empty "
        "for all.",
        examples=[["returns"]],
        max_length=100,
    ),
]


@value
class AmountLimit:
    """The most that an action may move, or else be about."""

    command: Annotated[
        str,
        Meta(
            title="Action",
            description="The name of a command, such as RefundPayment.",
            examples=["RefundPayment"],
            pattern=r"^[A-Za-z]+(?!\n)$",
            min_length=1,
            max_length=60,
            extra={"spellcheck": "false"},
        ),
    ]
    amount: Annotated[Decimal, money("Up to")]
    currency: Currency


@value
class CustomRole:
    """A role as it is stored. See DefineRole."""

    role: str
    based_on: str
    permissions: tuple[str, ...]
    amounts: tuple[AmountLimit, ...] = ()
    countries: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        return bool(self.amounts or self.countries or self.teams)
