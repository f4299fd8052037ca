"""What the product sends to its databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement as the driver got it; `database` is the name of the database it went to.

    `many`: `parameters` is a list, a set of values for each time it is run.
    """

    database: str
    sql: str
    parameters: Any
    many: bool

    def __str__(self) -> str:
        return " ".join(self.sql.split())


@contextmanager
def statements() -> Iterator[list[Sent]]:
    """All that this thread sends within, on any engine; what runs beside it is not of interest.

    BEGIN is left out: on SQLite it is a statement, on PostgreSQL the driver's affair.
    """
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
