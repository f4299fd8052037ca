"""Records the statements that the product sends to its databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement as the driver got it; `database` is the name of its database. If `many`,
    `parameters` is a list with one set of values per execution."""

    database: str
    sql: str
    parameters: Any
    many: bool

    def __str__(self) -> str:
        return " ".join(self.sql.split())


@contextmanager
def statements() -> Iterator[list[Sent]]:
    """All statements that this thread sends within the block, on any engine; other threads are
    ignored. BEGIN is left out: it is a statement on SQLite, but sent by the driver on
    PostgreSQL."""
    sent: list[Sent] = []
    here = threading.get_ident()

    def listen(
        connection: Connection, cursor: Any, sql: str, parameters: Any, context: Any, many: bool
    ) -> None:
        if threading.get_ident() == here and not sql.startswith("BEGIN"):
            sent.append(Sent(connection.engine.url.database or "", sql, parameters, many))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
