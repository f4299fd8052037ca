"""Turns the rows of one order into what happened to it, step by step. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from cqrs_app.areas.orders.commands import AddOrderNote, AddOrderTag, PlaceOrder, ShipOrder
from cqrs_app.areas.orders.types import BillingAddress, OrderLine, ShippedLine, ShippingAddress
from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.transfer.imports.charges import NOTHING, Charges, charges_of
from cqrs_app.platform.transfer.imports.documents import Step
from cqrs_app.platform.transfer.imports.fields import SHIPPED
from cqrs_app.platform.transfer.imports.lifecycle import LIFE, life_of
from cqrs_app.platform.transfer.imports.line import Line
from cqrs_app.platform.transfer.imports.paying import payment_steps
from cqrs_app.standards.money import charged

A = TypeVar("A", ShippingAddress, BillingAddress)

_NOT_IN_A_SKU = re.compile(r"[^\w.]+")
_UNRECORDED = {"approved": "not_approved", "shipped": "not_shipped"}
"""Status -> the objection to later ones that is no surprise where no file has this status."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Lines that left together; `lines` count from 1."""

    at: datetime
    carrier: str
    tracking: str
    lines: tuple[int, ...]


def steps_of(lines: Sequence[Line], recorded: frozenset[str]) -> tuple[Step, ...]:
    """The steps of an order, of which the first places it. `recorded` are the statuses that files
    of this kind have. Raises Invalid."""
    first, order_id = lines[0], lines[0].number
    items = tuple(map(_item, lines))
    charges = charges_of(items, lines)
    placed = PlaceOrder(
        order_id=order_id,
        customer_id=first_of(lines, "customer_id"),
        customer_name=first_of(lines, "customer_name"),
        country=first_of(lines, "country") or _text(lines, "bill_country"),
        currency=first_of(lines, "currency"),
        lines=items,
        adjustments=charges.adjustments,
        shipping_address=_address(ShippingAddress, "ship", lines),
        billing_address=_address(BillingAddress, "bill", lines),
    )
    moments = _moments(lines)
    doubts = {name: first.doubts.get(name, ()) for name in ("at", *moments)}
    waived = frozenset(code for name, code in _UNRECORDED.items() if name not in recorded)
    steps = [
        Step(first.at, placed, doubts=(*doubts["at"], *charges.doubts)),
        *_notes(lines, charges),
        *payment_steps(lines, charges.total, latest=max(_known(lines))),
        *_life(order_id, lines, moments, doubts),
    ]
    return tuple(replace(step, waived=waived) for step in _in_order(steps))


def first_of(lines: Sequence[Line], name: str) -> str:
    """What the first row that has this field says of the document."""
    return next((text for line in lines if (text := str(getattr(line, name)))), "")


def sku_from(description: str) -> str:
    """A SKU for what has none."""
    return _NOT_IN_A_SKU.sub("-", description).strip("-").upper()[:60]


def _item(line: Line) -> OrderLine:
    off = abs(line.amounts.get("discount", NOTHING))
    if share := abs(line.amounts.get("discount_share", NOTHING)):
        off += charged((line.unit_price * line.quantity - off) * share, line.currency)
    return OrderLine(
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=off,
    )


def _address(kind: type[A], prefix: str, lines: Sequence[Line]) -> A:
    parts = ("line1", "line2", "postal_code", "city", "country")
    values = {part: _text(lines, f"{prefix}_{part}") for part in parts}
    names = (_text(lines, f"{prefix}_name"), _text(lines, f"{prefix}_last_name"))
    return kind(name=" ".join(filter(None, names)), **values)


def _text(lines: Sequence[Line], name: str) -> str:
    return next((text for line in lines if (text := line.texts.get(name, ""))), "")


def _known(lines: Sequence[Line]) -> Iterator[datetime]:
    """Every time that the file has for the order."""
    for line in lines:
        yield line.at
        yield from line.moments.values()


def _moments(lines: Sequence[Line]) -> dict[str, datetime]:
    """When the order entered each status. One that only a word says was entered at the latest time
    that is known."""
    moments = {name: at for name, at in lines[0].moments.items() if name in LIFE}
    meaning = lines[0].meanings.get("status", "")
    meaning = "shipped" if meaning == "paid_shipped" else meaning
    if meaning in LIFE and meaning not in moments:
        moments[meaning] = max(_known(lines))
    return moments


def _life(
    order_id: str,
    lines: Sequence[Line],
    moments: Mapping[str, datetime],
    doubts: Mapping[str, tuple[Refused, ...]],
) -> Iterator[Step]:
    parcels = _parcels(lines, moments)
    for step in life_of(order_id, moments):
        if step.name != "shipped":
            yield replace(step, doubts=doubts[step.name])
    for number, parcel in enumerate(parcels, start=1):
        whole = parcel.lines == tuple(range(1, len(lines) + 1))
        shipped = ShipOrder(
            order_id=order_id,
            lines=()
            if whole
            else tuple(
                ShippedLine(line_no=each, quantity=lines[each - 1].quantity)
                for each in parcel.lines
            ),
            carrier=parcel.carrier,
            tracking=parcel.tracking,
        )
        name = "shipped" if number == 1 else f"shipped-{number}"
        yield Step(parcel.at, shipped, name, doubts.get("shipped", ()) if number == 1 else ())


def _parcels(lines: Sequence[Line], moments: Mapping[str, datetime]) -> list[Parcel]:
    """What left together. Where only the first row has a time, it is that of the whole order."""
    every = tuple(range(1, len(lines) + 1))
    own_status = any("line_status" in line.meanings for line in lines)
    if not own_status and not any("shipped" in line.moments for line in lines[1:]):
        if "shipped" not in moments:
            return []
        texts = (_text(lines, "carrier"), _text(lines, "tracking"))
        return [Parcel(moments["shipped"], *texts, every)]
    latest = moments.get("shipped") or max(_known(lines))
    found: dict[tuple[datetime, str, str], list[int]] = {}
    for number, line in enumerate(lines, start=1):
        meant = line.meanings.get("line_status") in SHIPPED
        if meant if own_status else "shipped" in line.moments:
            texts = (line.texts.get("carrier", ""), line.texts.get("tracking", ""))
            found.setdefault((line.moments.get("shipped", latest), *texts), []).append(number)
    return [Parcel(*key, tuple(numbers)) for key, numbers in sorted(found.items())]


def _notes(lines: Sequence[Line], charges: Charges) -> Iterator[Step]:
    first = lines[0]
    number = _text(lines, "external_number")
    notes = (
        _text(lines, "note"),
        f"Number in the other system: {number}." if number else "",
        f"Prices include {charges.included_tax} tax." if charges.included_tax else "",
    )
    if note := "\n\n".join(filter(None, notes)):
        yield Step(first.at, AddOrderNote(order_id=first.number, note=note), "note")
    tags = filter(None, map(str.strip, _text(lines, "tags").split(",")))
    for index, tag in enumerate(dict.fromkeys(map(str.casefold, tags)), start=1):
        yield Step(first.at, AddOrderTag(order_id=first.number, tag=tag), f"tag-{index}")


def _in_order(steps: Sequence[Step]) -> list[Step]:
    """By time, after the first one; at equal times as they are."""
    return [steps[0], *sorted(steps[1:], key=lambda each: each.at)]
