"""A row of a file that was read: one line of an order or credit note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.transfer.imports.source import SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`at` (UTC) is the time of the order or credit note `number`. `doubts` are keyed by time: "at"
    or one of `moments`. `amounts` and `texts` have further fields (`fields.py`) as far as the row
    has them, `meanings` what its statuses mean."""

    source: SourceRow
    number: str
    at: datetime
    country: str
    currency: str
    sku: str
    quantity: int
    unit_price: Decimal
    description: str = ""
    customer_id: str = ""
    customer_name: str = ""
    email: str = ""
    moments: Mapping[str, datetime] = field(default_factory=dict)
    doubts: Mapping[str, tuple[Refused, ...]] = field(default_factory=dict)
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
