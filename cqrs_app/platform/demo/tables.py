"""How far the demo shop has got."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table

from cqrs_app.kernel import UtcDateTime, write_tables

demo_shop = Table(
    "demo_shop",
    write_tables,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # How many times something happened.
    Column("steps", Integer, nullable=False),
    # Nothing happens before.
    Column("until", UtcDateTime),
)
