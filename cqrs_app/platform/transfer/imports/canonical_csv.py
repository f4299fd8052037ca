"""The canonical document as a table: one row per line, with the order's own fields repeated in
each.

The columns describe a regular life. What they cannot express (notes, a second hold, a line shipped
in two parcels) is in the column `moments`, as JSON. If it is filled, it takes precedence. So are
the payments, in theirs.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

import msgspec

from cqrs_app.kernel.messages.fields import plain_json
from cqrs_app.platform.transfer.exports.cells import guarded
from cqrs_app.platform.transfer.exports.workbook import write_workbook
from cqrs_app.platform.transfer.imports.canonical import (
    MOMENTS,
    kind_of,
    number_field,
)
from cqrs_app.platform.transfer.imports.canonical_plain import Plain
from cqrs_app.platform.transfer.imports.clock import moment
from cqrs_app.platform.transfer.imports.fields import ADDRESS
from cqrs_app.platform.transfer.imports.formats import whole
from cqrs_app.platform.transfer.imports.gathered import Unreadable, parsed
from cqrs_app.platform.transfer.imports.lifecycle import NO_REASON

NEWER = (
    "discount",
    "adjustments",
    *(f"bill_{part}" for part in ADDRESS),
    "exchange_for",
    "payments",
)
"""Columns that files of an earlier release do not have."""
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
    *NEWER,
)

_COLUMNS: Mapping[str, tuple[str, Mapping[str, tuple[str, str]]]] = {
    "held": ("held_at", {"reason": ("hold_reason", "other"), "note": ("hold_note", "")}),
    "released": ("released_at", {}),
    "approved": ("approved_at", {}),
    "delivered": ("delivered_at", {}),
    "rejected": ("rejected_at", {"reason": ("reject_reason", NO_REASON)}),
    "cancelled": (
        "cancelled_at",
        {"reason": ("cancel_reason", "other"), "note": ("cancel_note", "")},
    ),
}
"""Moment -> the column of its time and, per field, its column and the meaning of an empty one."""

_IN_ORDER = tuple(MOMENTS)
_OF_A_LINE = ("sku", "description", "quantity", "unit_price")

Row = Mapping[str, str]


def write(documents: Iterable[Plain], file: IO[str]) -> int:
    """Write the table, without formulas; returns how many documents it holds."""
    writer = csv.DictWriter(file, HEADER)
    writer.writeheader()
    count = 0
    for plain in documents:
        for row in rows_of(plain):
            writer.writerow({name: guarded(text) for name, text in row.items()})
        count += 1
    return count


def write_workbook_of(documents: Iterable[Plain], file: IO[bytes]) -> int:
    """Write the same as a workbook, every cell as text, so that it comes back as it was."""
    count = 0

    def rows() -> Iterator[list[str]]:
        nonlocal count
        for plain in documents:
            count += 1
            for row in rows_of(plain):
                yield [row[name] for name in HEADER]

    write_workbook(file, HEADER, rows())
    return count


def rows_of(plain: Plain) -> list[dict[str, str]]:
    """The rows of a document. An order without lines has one row without an item."""
    common = _common(plain)
    rows = [
        common | {"line": str(number)} | {name: str(value) for name, value in line.items()}
        for number, line in enumerate(plain["lines"], start=1)
    ] or [common]
    moments = plain.get("moments", [])
    for each in moments:
        _write_moment(each, rows)
    if moments and _moments(rows) != moments:
        rows[0]["moments"] = msgspec.json.encode(moments).decode()
    if plain.get("payments"):
        rows[0]["payments"] = msgspec.json.encode(plain["payments"]).decode()
    return rows


def plain_of_rows(rows: Sequence[Row]) -> Plain:
    """The inverse, for the rows of one document in the order of their lines.

    Raises Unreadable for a text that its column cannot hold.
    """
    first = rows[0]
    kind = kind_of(first["document"])
    parsed(first["at"], moment, "at")
    names = ("document", "at", "customer_id", "country", "currency")
    plain: Plain = {name: first[name] for name in names}
    plain["lines"] = lines = _lines(rows)
    if kind == "credit_note":
        return plain | {"credit_note_id": first["number"], "reason": first["credit_reason"]}
    for line, row in zip(lines, rows, strict=False):
        line["discount"] = row["discount"] or "0"
    return plain | {
        "order_id": first["number"],
        "customer_name": first["customer_name"],
        "shipping_address": {part: first[f"ship_{part}"] for part in ADDRESS},
        "billing_address": {part: first[f"bill_{part}"] for part in ADDRESS},
        "adjustments": _stored(first["adjustments"], "adjustments"),
        "exchange_for": first["exchange_for"],
        "moments": _stored(first["moments"], "moments") or _moments(rows),
        "payments": _stored(first["payments"], "payments"),
    }


def _lines(rows: Sequence[Row]) -> list[Plain]:
    """One line per row; none if the document's only row has no fields of a line."""
    if len(rows) == 1 and not any(rows[0][name] for name in _OF_A_LINE):
        return []
    if not all(row["sku"] for row in rows):
        # Skipping the row would import an incomplete document and number later lines wrongly.
        raise Unreadable("The value is missing.", "sku")
    return [
        {
            "sku": row["sku"],
            "description": row["description"],
            "quantity": parsed(row["quantity"], whole, "quantity"),
            "unit_price": row["unit_price"],
        }
        for row in rows
    ]


def _common(plain: Plain) -> dict[str, str]:
    number = plain[number_field(plain["document"])]
    row = dict.fromkeys(HEADER, "")
    row |= {name: plain[name] for name in HEADER if isinstance(plain.get(name), str)}
    for prefix, name in (("ship", "shipping_address"), ("bill", "billing_address")):
        row |= {f"{prefix}_{part}": value for part, value in plain.get(name, {}).items()}
    if plain.get("adjustments"):
        row["adjustments"] = msgspec.json.encode(plain["adjustments"]).decode()
    return row | {"number": number, "credit_reason": plain.get("reason", "")}


def _write_moment(each: Plain, rows: list[dict[str, str]]) -> None:
    """Write one moment into the columns. A later one of the same kind overwrites it."""
    if each["what"] in _COLUMNS:
        at, fields = _COLUMNS[each["what"]]
        values = {at: each["at"]} | {column: each[name] for name, (column, _) in fields.items()}
        for row in rows:
            row.update(values)
    elif each["what"] == "shipped":
        parcel = {"shipped_at": each["at"]} | {name: each[name] for name in ("carrier", "tracking")}
        for line in each["lines"]:
            rows[line["line_no"] - 1].update(parcel, shipped_quantity=str(line["quantity"]))
        if not each["lines"]:
            rows[0].update(parcel)


def _stored(text: str, what: str) -> list[Plain]:
    try:
        found = plain_json(text) if text else []
    except ValueError as error:
        raise Unreadable(f"This is no JSON: {error}.", what, text) from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unreadable("This is no list of JSON objects.", what, text)
    return found


def _moments(rows: Sequence[Row]) -> list[Plain]:
    """The moments in the columns, ordered by time; at equal times, in the order of a regular
    life."""
    found = [*_single(rows[0]), *_parcels(rows)]
    return sorted(found, key=lambda each: (moment(each["at"]), _IN_ORDER.index(each["what"])))


def _single(row: Row) -> Iterator[Plain]:
    for what, (at, fields) in _COLUMNS.items():
        if row[at]:
            parsed(row[at], moment, at)
            values = {name: row[column] or default for name, (column, default) in fields.items()}
            yield {"what": what, "at": row[at]} | values


def _parcels(rows: Sequence[Row]) -> Iterator[Plain]:
    parcels: dict[tuple[str, ...], list[Plain]] = {}
    for number, row in enumerate(rows, start=1):
        if row["shipped_at"]:
            parsed(row["shipped_at"], moment, "shipped_at")
            parcel = tuple(row[name] for name in ("shipped_at", "carrier", "tracking"))
            lines = parcels.setdefault(parcel, [])
            if row["sku"]:
                column = "shipped_quantity" if row["shipped_quantity"] else "quantity"
                quantity = parsed(row[column], whole, column)
                lines.append({"line_no": number, "quantity": quantity})
    for (at, carrier, tracking), lines in parcels.items():
        yield {
            "what": "shipped",
            "at": at,
            "lines": lines,
            "carrier": carrier,
            "tracking": tracking,
        }
