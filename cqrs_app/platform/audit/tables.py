"""The write store's table of security events that are to be sent to another system."""

from __future__ import annotations

from sqlalchemy import Column, Table

from cqrs_app.kernel.store.columns import BigKey
from cqrs_app.kernel.store.tables import write_tables

audit_unsent = Table(
    "audit_unsent",
    write_tables,
    # Of the event in the log.
    Column("position", BigKey, primary_key=True, autoincrement=False),
)
