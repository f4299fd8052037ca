"""How many items of a batch have each outcome, and what they are worth: kept in rows, so that a
page that follows a batch adds up nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, insert, literal, select

from cqrs_app.kernel.commands.consequences import Quantity
from cqrs_app.kernel.store.engines import insert_into
from cqrs_app.platform.batches.tables import batch_counts, batch_effects, batch_items, batches
from cqrs_app.platform.batches.words import Outcome

_COUNT, _ITEM = batch_counts.c, batch_items.c
NAMES = ("batch_id", "foreseen", "outcome", "currency", "total", "amount")


@dataclass(frozen=True, slots=True)
class Move:
    """An item with another outcome, or another expected one, than before."""

    before: str
    after: str
    currency: str
    amount: Decimal | None


def lock(connection: Connection, batch_id: str) -> None:
    """Keep others from changing the items of a batch until the end of the transaction."""
    mine = select(batches.c.batch_id).where(batches.c.batch_id == batch_id)
    connection.execute(mine.with_for_update()).all()


def rows_of(
    connection: Connection, batch_id: str, numbers: Sequence[int], *where: ColumnElement[bool]
) -> Sequence[Any]:
    """Number, outcome, expected, currency and amount of these items."""
    found = select(_ITEM.number, _ITEM.outcome, _ITEM.expected, _ITEM.currency, _ITEM.amount)
    mine = and_(_ITEM.batch_id == batch_id, _ITEM.number.in_(numbers), *where)
    return connection.execute(found.where(mine)).all()


def moved(
    connection: Connection, batch_id: str, moves: Iterable[Move], *, foreseen: bool = False
) -> None:
    """Change the counts accordingly. The batch is locked."""
    items, amounts = Counter[tuple[str, str]](), dict[tuple[str, str], Decimal]()
    for each in moves:
        for outcome, sign in ((each.before, -1), (each.after, 1)):
            key = outcome or Outcome.WAITING, each.currency
            items[key] += sign
            amounts[key] = amounts.get(key, Decimal(0)) + sign * (each.amount or 0)
    changed = [
        dict(zip(NAMES, (batch_id, foreseen, *key, items[key], amounts[key]), strict=True))
        for key in items
        if items[key] or amounts[key]
    ]
    if changed:
        add_to(connection, batch_counts, changed, ("total", "amount"))


def add_effects(
    connection: Connection, batch_id: str, effects: Iterable[Sequence[Quantity]]
) -> None:
    """Add what would follow from each of these items."""
    items, amounts = Counter[tuple[str, str]](), dict[tuple[str, str], Decimal]()
    for quantities in effects:
        items.update({(each.verb, each.currency) for each in quantities})
        for each in quantities:
            key = each.verb, each.currency
            amounts[key] = amounts.get(key, Decimal(0)) + each.amount
    rows = [
        {"batch_id": batch_id, "verb": verb, "currency": currency, "items": count, "amount": amount}
        for (verb, currency), count in items.items()
        for amount in (amounts[verb, currency],)
    ]
    if rows:
        add_to(connection, batch_effects, rows, ("items", "amount"))


def add_to(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], summed: Sequence[str]
) -> None:
    """Insert these rows; the `summed` columns of those that are there are increased."""
    more = insert_into(connection, table)
    values = {name: table.c[name] + more.excluded[name] for name in summed}
    keys = [column.name for column in table.primary_key]
    connection.execute(more.on_conflict_do_update(index_elements=keys, set_=values), rows)


def count_anew(connection: Connection, batch_id: str) -> None:
    """Count all items, after a decision that changed many."""
    connection.execute(delete(batch_counts).where(_COUNT.batch_id == batch_id))
    for foreseen, column in ((True, _ITEM.expected), (False, _ITEM.outcome)):
        outcome = func.coalesce(func.nullif(column, ""), Outcome.WAITING.value)
        counted = (
            select(
                _ITEM.batch_id,
                literal(foreseen),
                outcome,
                _ITEM.currency,
                func.count(),
                func.coalesce(func.sum(_ITEM.amount), 0),
            )
            .where(_ITEM.batch_id == batch_id)
            .group_by(_ITEM.batch_id, column, _ITEM.currency)
        )
        connection.execute(insert(batch_counts).from_select(NAMES, counted))
