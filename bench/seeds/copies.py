"""Big event logs: copies of one stream, made by SQL, a million events in some seconds."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from cqrs_app.kernel.store.engines import reader_of

BATCH = 50_000
"""Streams per transaction."""

_EVENTS = """
INSERT INTO events (position, stream, version, type, schema, payload, operator, command_id,
    correlation_id, causation_id, occurred_at, recorded_at, hash)
SELECT :start + (n.n - :first) * :per + e.version, replace(e.stream, :old, {new}), e.version,
    e.type, e.schema, replace(e.payload, :old, {new}), e.operator, e.command_id,
    e.correlation_id, e.causation_id, e.occurred_at, e.recorded_at, e.hash
FROM {series} CROSS JOIN (SELECT * FROM events WHERE stream = :stream ORDER BY version) e
ORDER BY n.n, e.version
"""
_HEADS = """
INSERT INTO streams (stream, version, hash, snapshot, snapshot_version, snapshot_shape)
SELECT replace(s.stream, :old, {new}), s.version, s.hash, replace(s.snapshot, :old, {new}),
    s.snapshot_version, s.snapshot_shape
FROM {series} CROSS JOIN (SELECT * FROM streams WHERE stream = :stream) s
ORDER BY n.n
"""
_DIALECTS = {
    "postgresql": {
        "new": "'N' || lpad(n.n::text, 9, '0')",
        "series": "generate_series(CAST(:first AS bigint), :last) AS n (n)",
    },
    "sqlite": {
        "new": "printf('N%09d', n.n)",
        "series": (
            "(WITH RECURSIVE c (n) AS"
            " (SELECT :first UNION ALL SELECT n + 1 FROM c WHERE n < :last) SELECT n FROM c) n"
        ),
    },
}


def number_of(copy: int) -> str:
    """The id of a copy of the order, counted from 1."""
    return f"N{copy:09d}"


def copy_order(engine: Engine, stream: str, order_id: str, copies: int) -> None:
    """Copy an order's stream and its head, and replace its id in payloads and snapshot.

    All events of the log must have positions. The copies continue the numbering, stream by stream.
    Copied hashes belong to no chain, which only a verification would notice.
    """
    words = _DIALECTS[engine.dialect.name]
    with engine.connect() as connection:
        start, per = _extent(connection, stream)
    names = {"stream": stream, "old": order_id, "per": per}
    for first in range(1, copies + 1, BATCH):
        last = min(first + BATCH - 1, copies)
        values = {**names, "start": start, "first": first, "last": last}
        with engine.begin() as connection:
            connection.execute(text(_EVENTS.format(**words)), values)
            heads = {name: each for name, each in values.items() if name not in {"start", "per"}}
            connection.execute(text(_HEADS.format(**words)), heads)
        start += (last - first + 1) * per
    with reader_of(engine).connect() as connection:
        connection.execute(text("ANALYZE"))


def _extent(connection: Connection, stream: str) -> tuple[int, int]:
    """The last position of the log, and the number of events in the stream."""
    last = connection.execute(text("SELECT max(position) FROM events")).scalar_one()
    events = text("SELECT count(*) FROM events WHERE stream = :stream")
    return int(last), int(connection.execute(events, {"stream": stream}).scalar_one())
