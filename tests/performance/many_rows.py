"""A PostgreSQL console with thousands of everything: some real rows, copied by SQL.

The copies stand for the past: they are older, of other orders, customers and products, and nearly
all finished. Their positions are below those of the real rows, so that the end of the log and the
cursors stay unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import (
    Column,
    Connection,
    Date,
    LargeBinary,
    String,
    Table,
    func,
    insert,
    select,
    text,
)

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store import tables
from cqrs_app.kernel.store.columns import Amount, UtcDateTime
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.services import services_of

ROWS = 20_000
"""The approximate number of rows in each growing table."""

SETTLED = {
    "alert_conditions": "the problems of this moment",
    "alert_entries": "some rows per alert that was raised",
    "alert_notices": "those of the last 90 days",
    "alert_rules": "one row per rule that was changed",
    "alert_rule_silences": "one row per rule that is or was silenced",
    "alert_tasks": "one row per task",
    "alerts": "one row per rule and what it is about",
    "authenticator_apps": "one row per operator at most",
    "passkey_challenges": "those of the last minutes",
    "passkeys": "some rows per operator",
    "recovery_codes": "ten rows per operator at most",
    "api_tokens": "what is set up by people, by hand",
    "checkpoints": "one row per projection",
    "demo_shop": "one row",
    "digests": "one row per table of a projection",
    "projection_generations": "one row per projection that is rebuilt beside",
    "reconciliations": "one row per projection",
    "subscription_cursors": "one row per subscription with effects",
    "subscription_parked": "each is a fault that somebody has to see to",
    "customer_counts": "one row per status",
    "export_chunks": "the content of the files of the last week",
    "export_files": "those of the last week",
    "export_schedules": "what is set up by people, by hand",
    "failures": "some rows per cause; those of old causes are deleted",
    "failure_hours": "a week of hours per failure",
    "data_keys": "one row per purpose, and one more per rotation",
    "failure_occurrences": "the last fifty of each failure",
    "fulfilment_outbox": "the commands of this moment: a row goes when its command has an outcome",
    "operators": "the people who work here",
    "operator_identities": "one row per operator and provider",
    "operator_links": "those of the last three days",
    "operator_roles": "the roles that somebody has defined",
    "approval_delegations": "those of now: a row goes when it ends",
    "audit_unsent": "what another system has not taken yet",
    "scim_groups": "the groups of an identity provider",
    "scim_members": "some rows per operator",
    "scim_users": "one row per operator",
    "notifications": "those of ninety days",
    "notification_mails": "those of a week",
    "order_claims": "the orders that somebody works on now",
    "order_presence": "the orders that are open now",
    "queue_runs": "one row per operator",
    "queue_skips": "what was skipped today",
    "order_activity": "some rows per day, however many orders",
    "order_days": "some rows per day, however many orders",
    "parked_events": "each is a fault that somebody has to see to",
    "processes": "the processes that live",
    "seals": "one row per log and minute, read as a whole when they are verified",
    "sign_in_failures": "forgotten after a while",
    "webhook_endpoints": "one row per webhook",
    "webhook_secrets": "some rows per webhook",
    "webhooks": "what is set up by people, by hand",
}
"""Tables that do not grow with the work, and why."""

_IMPORT = "left(import_id, 20) || lpad(n::text, 13, '1') || right(import_id, 3)"
_BATCH = "left(batch_id, 20) || lpad(n::text, 13, '1') || right(batch_id, 3)"
# Most copies are finished work. The real rows are the open work.
_DONE = {
    ("audit_entries", "event_id"): "event_id || '-' || n",
    ("orders", "status"): "CASE WHEN n % 50 = 0 THEN status ELSE 'delivered' END",
    ("orders", "flags"): "CASE WHEN n % 200 = 0 THEN 1 ELSE 0 END",
    ("fulfilments", "over"): "n % 50 > 0",
    ("fulfilments", "stage"): "CASE WHEN n % 50 = 0 THEN stage ELSE 'delivered' END",
    ("fulfilments", "late"): "n % 50 = 0 AND late",
    ("payments", "unsettled"): "n % 50 = 0",
    ("payments", "disputed"): "CASE WHEN n % 500 = 0 THEN amount ELSE 0 END",
    ("payments", "flagged"): "CASE WHEN n % 500 = 0 THEN 1 ELSE 0 END",
    ("gateway_requests", "state"): "'closed'",
    ("expense_claims", "is_open"): "n % 50 = 0",
    ("expense_claims", "status"): "CASE WHEN n % 50 = 0 THEN status ELSE 'paid' END",
    ("expense_claims", "stage"): "CASE WHEN n % 50 = 0 THEN stage ELSE '' END",
    ("expense_claims", "flags"): "CASE WHEN n % 200 = 0 THEN 1 ELSE 0 END",
    ("command_log", "outcome"): "CASE WHEN n % 50 = 0 THEN 'refused' ELSE 'succeeded' END",
    ("webhook_deliveries", "test"): "n % 5000 = 0",
    ("webhook_deliveries", "retry_at"): "CASE WHEN n % 5000 = 0 THEN retry_at END",
    ("products", "short"): "CASE WHEN n % 50 = 0 THEN short ELSE 0 END",
    ("products", "retired"): "n % 10 = 0",
    ("imports", "import_id"): _IMPORT,
    ("import_chunks", "import_id"): _IMPORT,
    **dict.fromkeys(
        ((table, "batch_id") for table in ("batches", "batch_counts", "batch_effects")), _BATCH
    ),
    ("batch_items", "number"): "n",
    ("approval_requests", "request_id"): "gen_random_uuid()::text",
    ("approval_requests", "state"): "CASE WHEN n % 5000 = 0 THEN 'open' ELSE 'executed' END",
    ("approval_requests", "remind_at"): "CASE WHEN n % 5000 = 0 THEN remind_at END",
    ("approval_requests", "review_due"): "CASE WHEN n % 5000 = 0 THEN review_due END",
    ("order_files", "file_id"): "left(file_id, 20) || lpad(n::text, 13, '1') || right(file_id, 3)",
    ("sessions", "token_hash"): "md5(token_hash || n)",
    ("subject_keys", "key_id"): "left(md5(key_id || n), 22)",
    ("claims", "hash"): "sha256(hash || convert_to(n::text, 'UTF8'))",
    ("fulfilment_processes", "due_at"): "due_at + n * interval '17 minutes'",
    ("bus_statistics", "minute"): "minute - n * interval '1 hour'",
    ("sales_days", "country"): "country || (n % 30)",
    ("sales_days", "day"): "day - n / 30",
}
_FIRST = {
    ("audit_entries", "kind"): "signed_in",
    ("approval_requests", "request"): "{}",
    ("approval_requests", "state"): "executed",
    ("approval_requests", "waiting"): "",
    ("approval_requests", "given"): "",
    ("approval_requests", "shape"): ApprovalRequest.shape,
    ("batches", "state"): "ended",
    ("batch_items", "outcome"): "done",
}
"""Values that the first row of an empty table needs."""
# Columns that hold ids, which differ in the copies.
_NAMES = {
    *("order_id", "customer_id", "sku", "payment_id", "stream", "credit_note_id", "command_id"),
    *("request_key", "claim_id", "message_id", "subject", "correlation_id", "causation_id"),
}
_AT_A_POSITION = {"id", "row_id", "applied_position", "position"}


def multiply(app: Flask) -> None:
    """Copy existing rows until the growing tables have about ROWS rows each."""
    kernel: Kernel = services_of(app).kernel
    head = kernel.store.head()
    for engine, metadata in (
        (kernel.engines.write, tables.write_tables),
        (kernel.engines.read, tables.read_tables),
    ):
        with engine.begin() as connection:
            for table in growing(metadata.sorted_tables):
                _copy(connection, table, head)
        with reader_of(engine).connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


def growing(found: list[Table]) -> Iterator[Table]:
    return (table for table in found if table.name not in SETTLED)


def _copy(connection: Connection, table: Table, head: int) -> None:
    count = select(func.count()).select_from(table)
    if not (there := connection.execute(count).scalar_one()):
        first = {
            each.name: _FIRST.get((table.name, each.name), _any(each)) for each in table.columns
        }
        connection.execute(insert(table).values(first))
        there = 1
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(_value(column, head) for column in table.columns)
    copied = (
        f'INSERT INTO "{table.name}" ({columns}) SELECT {values} '
        f'FROM "{table.name}", generate_series(1, {ROWS // there + 1}) AS n ON CONFLICT DO NOTHING'
    )
    connection.execute(text(copied))
    assert connection.execute(count).scalar_one() > ROWS // 2, f"{table.name} has too few rows"


def _any(column: Column[Any]) -> Any:
    """A value for a table without rows."""
    if isinstance(column.type, UtcDateTime):
        return datetime.now(UTC) + timedelta(days=1)
    if isinstance(column.type, LargeBinary):
        return b"x"
    if isinstance(column.type, Amount):
        return Decimal(1)
    return "x" if isinstance(column.type, String) else 1


def _value(column: Column[Any], head: int) -> str:
    """The SQL expression for the column's value in the n-th copy."""
    name = column.name
    if done := _DONE.get((column.table.name, name)):
        return done
    if name in _AT_A_POSITION:
        return f'"{name}" - n * {head}'
    if name in _NAMES and isinstance(column.type, String):
        return f"CASE WHEN \"{name}\" = '' THEN '' ELSE \"{name}\" || '-' || n END"
    if isinstance(column.type, UtcDateTime):
        return f"\"{name}\" - n * interval '17 minutes'"
    if isinstance(column.type, Date):
        return f'"{name}" - n / 15'
    if isinstance(column.type, Amount):
        return f'"{name}" + n'
    return f'"{name}"'
