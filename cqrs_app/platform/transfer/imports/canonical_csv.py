"""The canonical document as a table: one row per line, the order's own fields repeated in each.

The columns tell a regular life. What they cannot tell (notes, a second hold, an article that left
in two parcels) stands in the last column, `moments`, as JSON; where it is filled, it counts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

import msgspec

from cqrs_app.kernel.messages.fields import plain_json
from cqrs_app.platform.transfer.imports.canonical import (
    MOMENTS,
    Plain,
    Unusable,
    kind_of,
    number_field,
)
from cqrs_app.platform.transfer.imports.clock import moment
from cqrs_app.platform.transfer.imports.lifecycle import UNTOLD
from cqrs_app.platform.transfer.imports.lines import whole

ADDRESS = ("name", "line1", "line2", "city", "postal_code", "country")
HEADER = (
    "document",
    "number",
    "line",
    "at",
    "customer_id",
    "customer_name",
    "country",
    "currency",
    *(f"ship_{part}" for part in ADDRESS),
    "sku",
    "description",
    "quantity",
    "unit_price",
    "credit_reason",
    "held_at",
    "hold_reason",
    "hold_note",
    "released_at",
    "approved_at",
    "shipped_at",
    "shipped_quantity",
    "carrier",
    "tracking",
    "delivered_at",
    "rejected_at",
    "reject_reason",
    "cancelled_at",
    "cancel_reason",
    "cancel_note",
    "moments",
)

_TOLD: Mapping[str, tuple[str, Mapping[str, tuple[str, str]]]] = {
    "held": ("held_at", {"reason": ("hold_reason", "other"), "note": ("hold_note", "")}),
    "released": ("released_at", {}),
    "approved": ("approved_at", {}),
    "delivered": ("delivered_at", {}),
    "rejected": ("rejected_at", {"reason": ("reject_reason", UNTOLD)}),
    "cancelled": (
        "cancelled_at",
        {"reason": ("cancel_reason", "other"), "note": ("cancel_note", "")},
    ),
}
"""Moment -> the column of its time and, per field, its column and what an empty one means."""

_IN_ORDER = tuple(MOMENTS)
_OF_A_LINE = ("sku", "description", "quantity", "unit_price")

Row = Mapping[str, str]


def write(documents: Iterable[Plain], file: IO[str]) -> int:
    """Write the table; returns how many documents it holds."""
    writer = csv.DictWriter(file, HEADER)
    writer.writeheader()
    count = 0
    for plain in documents:
        writer.writerows(rows_of(plain))
        count += 1
    return count


def rows_of(plain: Plain) -> list[dict[str, str]]:
    """A document's rows; an order without lines has one with no article."""
    common = _common(plain)
    rows = [
        common | {"line": str(number)} | {name: str(value) for name, value in line.items()}
        for number, line in enumerate(plain["lines"], start=1)
    ] or [common]
    moments = plain.get("moments", [])
    for each in moments:
        _tell(each, rows)
    if moments and _moments(rows) != moments:
        rows[0]["moments"] = msgspec.json.encode(moments).decode()
    return rows


def plain_of_rows(rows: Sequence[Row]) -> Plain:
    """The inverse, for the rows of one document in the order of their lines.

    Raises ValueError where a text is none of what its column holds.
    """
    first = rows[0]
    kind = kind_of(first["document"])
    names = ("document", "at", "customer_id", "country", "currency")
    plain: Plain = {name: first[name] for name in names}
    plain["lines"] = _lines(rows)
    if kind == "credit_note":
        return plain | {"credit_note_id": first["number"], "reason": first["credit_reason"]}
    return plain | {
        "order_id": first["number"],
        "customer_name": first["customer_name"],
        "shipping_address": {part: first[f"ship_{part}"] for part in ADDRESS},
        "moments": _stored_moments(first["moments"]) or _moments(rows),
    }


def _lines(rows: Sequence[Row]) -> list[Plain]:
    """One line per row; none where a document's only row has nothing of a line."""
    if len(rows) == 1 and not any(rows[0][name] for name in _OF_A_LINE):
        return []
    if not all(row["sku"] for row in rows):
        # Left out, the document would come in short, and later lines would count wrongly.
        raise Unusable("a row has no article")
    return [
        {
            "sku": row["sku"],
            "description": row["description"],
            "quantity": whole(row["quantity"]),
            "unit_price": row["unit_price"],
        }
        for row in rows
    ]


def _common(plain: Plain) -> dict[str, str]:
    number = plain[number_field(plain["document"])]
    row = dict.fromkeys(HEADER, "")
    row |= {name: plain[name] for name in HEADER if isinstance(plain.get(name), str)}
    address = plain.get("shipping_address", {})
    row |= {f"ship_{part}": value for part, value in address.items()}
    return row | {"number": number, "credit_reason": plain.get("reason", "")}


def _tell(each: Plain, rows: list[dict[str, str]]) -> None:
    """Put one moment into the columns; a later one of its kind takes its place."""
    if each["what"] in _TOLD:
        at, fields = _TOLD[each["what"]]
        told = {at: each["at"]} | {column: each[name] for name, (column, _) in fields.items()}
        for row in rows:
            row.update(told)
    elif each["what"] == "shipped":
        parcel = {"shipped_at": each["at"]} | {name: each[name] for name in ("carrier", "tracking")}
        for line in each["lines"]:
            rows[line["line_no"] - 1].update(parcel, shipped_quantity=str(line["quantity"]))
        if not each["lines"]:
            rows[0].update(parcel)


def _stored_moments(text: str) -> list[Plain]:
    try:
        found = plain_json(text) if text else []
    except ValueError as error:
        raise Unusable(f"the moments are unusable: {error}") from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unusable("the moments are unusable: a list of JSON objects is needed")
    return found


def _moments(rows: Sequence[Row]) -> list[Plain]:
    """What the columns tell, in order of time; of two at one time, as in a regular life."""
    found = [*_single(rows[0]), *_parcels(rows)]
    return sorted(found, key=lambda each: (moment(each["at"]), _IN_ORDER.index(each["what"])))


def _single(row: Row) -> Iterator[Plain]:
    for what, (at, fields) in _TOLD.items():
        if row[at]:
            told = {name: row[column] or default for name, (column, default) in fields.items()}
            yield {"what": what, "at": row[at]} | told


def _parcels(rows: Sequence[Row]) -> Iterator[Plain]:
    parcels: dict[tuple[str, ...], list[Plain]] = {}
    for number, row in enumerate(rows, start=1):
        if row["shipped_at"]:
            told = tuple(row[name] for name in ("shipped_at", "carrier", "tracking"))
            lines = parcels.setdefault(told, [])
            if row["sku"]:
                quantity = whole(row["shipped_quantity"] or row["quantity"])
                lines.append({"line_no": number, "quantity": quantity})
    for (at, carrier, tracking), lines in parcels.items():
        yield {
            "what": "shipped",
            "at": at,
            "lines": lines,
            "carrier": carrier,
            "tracking": tracking,
        }
