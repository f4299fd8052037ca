"""What a batch is about, and how its items are stored: many at a time, as one JSON text, from which
the database makes the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec
from sqlalchemy import Connection, TextClause, text

from cqrs_app.platform.batches.words import Outcome

AT_ONCE = 5_000


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """What an item is about. `version` is the one that was seen; None: as it is then. `amount` is
    what it is worth, for totals: in ten-thousandths, as `Amount` stores it."""

    subject: str
    version: int | None = None
    amount: int | None = None
    currency: str = ""


def add_items(connection: Connection, batch_id: str, chosen: Iterable[Chosen]) -> int:
    """Store the items of a batch that has none; returns how many. Repeated ones count once."""
    known: set[str] = set()
    remaining = iter(chosen)
    while portion := list(islice(remaining, AT_ONCE)):
        before = len(known)
        if new := list(_unknown(portion, known)):
            connection.execute(_statement(connection), _values(batch_id, before, new))
    return len(known)


def _unknown(portion: Sequence[Chosen], known: set[str]) -> Iterator[Chosen]:
    for each in portion:
        if each.subject not in known:
            known.add(each.subject)
            yield each


def _values(batch_id: str, before: int, chosen: Sequence[Chosen]) -> dict[str, str | int]:
    return {
        "batch_id": batch_id,
        "before": before,
        "chosen": msgspec.json.encode(chosen).decode(),
        "waiting": Outcome.WAITING,
    }


def _statement(connection: Connection) -> TextClause:
    return _ON_POSTGRESQL if connection.dialect.name == "postgresql" else _ON_SQLITE


_ADD = """
INSERT INTO batch_items (batch_id, number, subject, version, amount, currency,
    expected, outcome, code, sentence, attempt, step)
SELECT :batch_id, {number}, {values}, '', :waiting, '', '', 1, 1 FROM {source}
"""
_ON_POSTGRESQL = text(
    _ADD.format(
        number="CAST(:before AS integer) + sent.number",
        values="sent.subject, sent.version, sent.amount, sent.currency",
        source="ROWS FROM (json_to_recordset(CAST(:chosen AS json)) AS"
        " (subject varchar, version integer, amount bigint, currency varchar))"
        " WITH ORDINALITY AS sent (subject, version, amount, currency, number)",
    )
)
_ON_SQLITE = text(
    _ADD.format(
        number=":before + 1 + sent.key",
        values=", ".join(
            f"json_extract(sent.value, '$.{name}')" for name in Chosen.__struct_fields__
        ),
        source="json_each(:chosen) AS sent",
    )
)
