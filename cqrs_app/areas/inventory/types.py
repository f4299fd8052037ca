"""Types of the fields of inventory's commands, with their limits and labels."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.types import HIGHEST_PRICE, MOST_UNITS, money
from cqrs_app.kernel import ONE_LINE

Quantity = Annotated[int, Meta(title="Quantity", examples=[12], ge=1, le=MOST_UNITS)]
QuantityOrNone = Annotated[int, Meta(title="Quantity", examples=[12], ge=0, le=MOST_UNITS)]
LowBelow = Annotated[
    int,
    Meta(
        title="Reorder level",
        description="With fewer than this available the product counts as low. 0: never.",
        ge=0,
        le=MOST_UNITS,
    ),
]
ProductPrice = Annotated[
    Decimal,
    money(
        "Price",
        le=HIGHEST_PRICE,
        description="Of one unit. New orders in this currency suggest it. Empty: no price.",
    ),
]
Difference = Annotated[
    int,
    Meta(
        title="Difference",
        examples=[-2],
        description="How many more there are than shown; with a minus sign, how many fewer.",
        ge=-MOST_UNITS,
        le=MOST_UNITS,
    ),
]
Reference = Annotated[
    str,
    Meta(
        title="Delivery",
        examples=["PO-4711"],
        description="The number of the purchase order or delivery note.",
        pattern=ONE_LINE,
        min_length=1,
        max_length=100,
    ),
]
Due = Annotated[date, Meta(title="Due", description="The day it should arrive.")]
Tracked = Annotated[
    bool,
    Meta(
        title="Stock is kept",
        description="Off for fees such as postage: they can always be ordered.",
    ),
]
