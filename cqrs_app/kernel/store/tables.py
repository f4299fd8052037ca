"""The kernel's tables in the write store and the read store."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from cqrs_app.kernel.store.columns import BigKey, UtcDateTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

write_tables = MetaData(naming_convention=NAMING)
read_tables = MetaData(naming_convention=NAMING)

events = Table(
    "events",
    write_tables,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    # Assigned after commit on PostgreSQL, at insert on SQLite: see store.EventStore.
    Column("position", BigKey, nullable=True),
    Column("stream", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", String(100), nullable=False),
    Column("schema", Integer, nullable=False),
    Column("payload", Text, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("command_id", String(64), nullable=False),
    Column("correlation_id", String(64), nullable=False),
    Column("causation_id", String(64)),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    UniqueConstraint("stream", "version"),
)
Index("ix_events_position", events.c.position, unique=True)
Index(
    "ix_events_unplaced",
    events.c.id,
    postgresql_where=events.c.position.is_(None),
    sqlite_where=events.c.position.is_(None),
)

streams = Table(
    "streams",
    write_tables,
    Column("stream", String(200), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("snapshot", Text),
    Column("snapshot_version", Integer),
    Column("snapshot_shape", Integer),
)

command_log = Table(
    "command_log",
    write_tables,
    Column("command_id", String(64), primary_key=True),
    Column("type", String(100), nullable=False),
    Column("stream", String(200), nullable=False),
    Column("payload", Text, nullable=False),
    Column("operator", String(100), nullable=False),
    Column("permissions", Text, nullable=False, server_default=""),
    Column("channel", String(20), nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("code", String(60)),
    Column("sentence", Text),
    Column("traceback", Text),
    Column("attempts", Integer, nullable=False),
    Column("version", Integer),
    Column("events", Text, nullable=False, server_default="[]"),
    Column("expected_version", Integer),
    Column("correlation_id", String(64), nullable=False),
    Column("causation_id", String(64)),
    Column("occurred_at", UtcDateTime),
    Column("received_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("duration_ms", Float),
    # The order in which queued commands were accepted.
    Column("queue_number", BigKey),
    # Set while a queued command runs: see log.LEASE.
    Column("lease_until", UtcDateTime),
    # Of a delayed command: until then it waits, and can be withdrawn.
    Column("not_before", UtcDateTime),
    # The number of the seal that covers the row; null until it is sealed.
    Column("seal", BigKey),
)
Index("ix_command_log_received_at", command_log.c.received_at, command_log.c.command_id)
Index("ix_command_log_type", command_log.c.type, command_log.c.received_at)
Index("ix_command_log_operator", command_log.c.operator, command_log.c.received_at)
Index("ix_command_log_stream", command_log.c.stream, command_log.c.received_at)
# Partial indexes: most commands succeed and were caused by no other.
_unsuccessful = command_log.c.outcome != "succeeded"
Index(
    "ix_command_log_outcome",
    command_log.c.outcome,
    command_log.c.received_at,
    postgresql_where=_unsuccessful,
    sqlite_where=_unsuccessful,
)
FINAL = ("succeeded", "refused", "requested")
"""Outcomes that never change. "requested": it was kept to be decided on by others."""
# What is not sealed yet, and what a seal covers, each in order.
Index(
    "ix_command_log_seal", command_log.c.seal, command_log.c.finished_at, command_log.c.command_id
)
_queued = command_log.c.queue_number.is_not(None)
Index(
    "ix_command_log_queue_number",
    command_log.c.queue_number,
    postgresql_where=_queued,
    sqlite_where=_queued,
)
_unfinished = command_log.c.outcome.in_(("queued", "running"))
Index(
    "ix_command_log_unfinished",
    command_log.c.stream,
    command_log.c.queue_number,
    postgresql_where=_unfinished,
    sqlite_where=_unfinished,
)
# At most one delayed command of a type waits in a stream.
_delayed = (command_log.c.outcome == "queued") & command_log.c.not_before.is_not(None)
Index(
    "ix_command_log_delayed",
    command_log.c.stream,
    command_log.c.type,
    unique=True,
    postgresql_where=_delayed,
    sqlite_where=_delayed,
)
_caused = command_log.c.causation_id.is_not(None)
Index(
    "ix_command_log_correlation_id",
    command_log.c.correlation_id,
    postgresql_where=_caused,
    sqlite_where=_caused,
)

# Values that only one stream may hold, as keyed hashes: see claims.py.
claims = Table(
    "claims",
    write_tables,
    Column("kind", String(40), primary_key=True),
    Column("hash", LargeBinary(32), primary_key=True),
    Column("stream", String(200), nullable=False),
    UniqueConstraint("kind", "stream"),
)

# The keys of this store, wrapped with the master key: see privacy/data_keys.py.
data_keys = Table(
    "data_keys",
    write_tables,
    Column("purpose", String(20), primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("wrapped", LargeBinary(60), nullable=False),
    # The id of the master key.
    Column("wrapped_by", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# The keys of persons, wrapped; `wrapped` is null once a key is destroyed: see vault.py.
subject_keys = Table(
    "subject_keys",
    write_tables,
    Column("key_id", String(22), primary_key=True),
    Column("subject", String(200), nullable=False, unique=True),
    Column("wrapped", LargeBinary(60)),
    # Of the key of this store that wraps it.
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime),
    # The subject that it is erased with.
    Column("owner", String(200)),
)
_owned = subject_keys.c.owner.is_not(None)
Index(
    "ix_subject_keys_owner",
    subject_keys.c.owner,
    postgresql_where=_owned,
    sqlite_where=_owned,
)

# Signed digests of the event log and the command log: see verification/seals.py.
seals = Table(
    "seals",
    write_tables,
    Column("log", String(10), primary_key=True),
    Column("number", BigKey, primary_key=True, autoincrement=False),
    Column("until", BigKey, nullable=False),
    Column("entries", BigKey, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("signature", String(64), nullable=False),
)

processes = Table(
    "processes",
    write_tables,
    Column("process_id", String(120), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("host", String(200), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("doing", Text, nullable=False, server_default=""),
)

# A sample of the questions asked: see queries/log.py.
query_log = Table(
    "query_log",
    write_tables,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("query", String(100), nullable=False),
    # As JSON, without texts.
    Column("parameters", Text, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("result", String(20), nullable=False),
    Column("code", String(60), nullable=False),
    Column("ms", Float, nullable=False),
)

# The series of one metric in one slot of time, as JSON: see measurements/rows.py.
measurements = Table(
    "measurements",
    write_tables,
    Column("seconds", Integer, primary_key=True, autoincrement=False),
    Column("metric", String(40), primary_key=True),
    Column("start", UtcDateTime, primary_key=True),
    # The process that wrote it; empty where it was added up from shorter slots.
    Column("source", String(12), primary_key=True),
    Column("series", Text, nullable=False),
)

# Spans of one trace from one process, as JSON: see measurements/traces.py.
traces = Table(
    "traces",
    write_tables,
    Column("id", BigKey, primary_key=True, autoincrement=True),
    Column("trace_id", String(32), nullable=False),
    # What kind of process, and its number on its host.
    Column("process", String(40), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("spans", Text, nullable=False),
)
Index("ix_traces_trace_id", traces.c.trace_id)
Index("ix_traces_recorded_at", traces.c.recorded_at)


def _cursors(name: str, store: MetaData) -> Table:
    return Table(
        name,
        store,
        Column("subscription", String(60), primary_key=True),
        Column("position", BigKey, nullable=False),
        # The hash of the event at that position: a restored log may have another event there.
        Column("hash", LargeBinary(32)),
        Column("version", Integer, nullable=False),
        # The time zone of the business days by which its rows are counted, if they are.
        Column("zone", String(60), nullable=False, server_default="UTC"),
        Column("state", String(12), nullable=False),
        Column("applied", BigKey, nullable=False),
        # A new random number after each change of this row or of the subscription's rows.
        Column("revision", BigKey, nullable=False, server_default="0"),
        Column("advanced_at", UtcDateTime),
        Column("error", Text),
        # The end of the log when the cursor was created.
        Column("since", BigKey, nullable=False, server_default="0"),
    )


def _parked(name: str, store: MetaData) -> Table:
    table = Table(
        name,
        store,
        Column("subscription", String(60), primary_key=True),
        Column("position", BigKey, primary_key=True),
        Column("stream", String(200), nullable=False),
        Column("version", Integer, nullable=False),
        Column("type", String(100), nullable=False),
        # Only the event that failed has an error. The others wait behind it.
        Column("culprit", Boolean, nullable=False),
        Column("error", Text),
        Column("traceback", Text),
        Column("attempts", Integer, nullable=False),
        Column("parked_at", UtcDateTime, nullable=False),
        # The failure that an event with an error was counted as; null until then.
        Column("cause", String(12)),
    )
    Index(f"ix_{name}_stream", table.c.subscription, table.c.stream)
    _counted = table.c.cause.is_not(None)
    Index(f"ix_{name}_cause", table.c.cause, postgresql_where=_counted, sqlite_where=_counted)
    _uncounted = table.c.cause.is_(None) & table.c.culprit
    Index(
        f"ix_{name}_uncounted",
        table.c.position,
        postgresql_where=_uncounted,
        sqlite_where=_uncounted,
    )
    return table


# The names differ because both stores may be one database.
checkpoints, parked_events = (
    _cursors("checkpoints", read_tables),
    _parked("parked_events", read_tables),
)
subscription_cursors = _cursors("subscription_cursors", write_tables)
subscription_parked = _parked("subscription_parked", write_tables)

# What the projections have written: see projections/digests.py. `total` is hexadecimal.
digests = Table(
    "digests",
    read_tables,
    Column("table_name", String(63), primary_key=True),
    Column("rows", BigKey, nullable=False),
    Column("total", String(32), nullable=False),
    Column("complete", Boolean, nullable=False),
)

# The last comparisons of each projection: see reconciliation/.
reconciliations = Table(
    "reconciliations",
    read_tables,
    Column("projection", String(60), primary_key=True),
    # With the digests.
    Column("compared_at", UtcDateTime),
    Column("rows", BigKey, nullable=False, server_default="0"),
    # As JSON: the names of tables that differ from their digests.
    Column("drifted", Text, nullable=False, server_default="[]"),
    # With the events, up to a position.
    Column("proven_at", UtcDateTime),
    Column("proven_position", BigKey),
    Column("differences", BigKey, nullable=False, server_default="0"),
    # As JSON: the first of them, without values, which may be personal.
    Column("samples", Text, nullable=False, server_default="[]"),
    Column("problem", Text, nullable=False, server_default=""),
    # Set while a repair is asked for: what to repair, empty for all.
    Column("repair", Text),
    Column("repaired", BigKey, nullable=False, server_default="0"),
    Column("repaired_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
)

# The second generations of projections: see projections/generation.py. Their cursors are rows of
# `checkpoints`.
projection_generations = Table(
    "projection_generations",
    read_tables,
    Column("projection", String(60), primary_key=True),
    # "next": to be swapped in; "previous": was swapped out.
    Column("role", String(10), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    # How long it was worked on, without waiting.
    Column("busy_seconds", Float, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("built_at", UtcDateTime),
    Column("comparing", Boolean, nullable=False),
    # The comparison with the live rows at this position: see projections/comparison.py.
    Column("compared_at", UtcDateTime),
    Column("compared_position", BigKey),
    Column("compared_rows", BigKey),
    Column("differences", BigKey),
    # By how much the digests of both differed then.
    Column("digest_gap", String(60)),
    Column("report", Text),
    Column("swapped_at", UtcDateTime),
    # Why the last operation was not carried out, as a sentence.
    Column("problem", Text),
)

# In the write store, since figures are wanted most while the read store is down.
statistics = Table(
    "bus_statistics",
    write_tables,
    Column("bus", String(10), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("result", String(20), primary_key=True),
    # The start of the span, which is longer for old rows: see statistics.FOLDED.
    Column("minute", UtcDateTime, primary_key=True),
    # The upper bound of the duration bucket in ms: see statistics.BOUNDS.
    Column("bound_ms", Float, primary_key=True),
    Column("count", BigKey, nullable=False),
    Column("total_ms", Float, nullable=False),
)
Index("ix_bus_statistics_minute", statistics.c.minute)
