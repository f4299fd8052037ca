"""Faults of a database, made in its driver: the n-th call fails, before or after it was carried
out."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import psycopg
import pytest

from cqrs_app.kernel.store.postgresql_client import Connection

T = TypeVar("T")


@dataclass(slots=True)
class Fault:
    """While it is entered, the call number `at` of the thread to any database fails. `answer_lost`:
    it is carried out, and nobody learns of it. `happened` once it did. Needs `faulty_databases`."""

    at: int
    answer_lost: bool
    happened: bool = False
    _thread: int = 0
    _calls: int = 0

    def __enter__(self) -> Fault:
        global _present
        self._thread, _present = threading.get_ident(), self
        return self

    def __exit__(self, *error: object) -> None:
        global _present  # noqa: PLW0603
        _present = None

    def meet(self, call: Callable[[], T], error: type[Exception]) -> T:
        if self.happened or threading.get_ident() != self._thread:
            return call()
        self._calls += 1
        self.happened = self._calls == self.at
        if not self.happened:
            return call()
        if self.answer_lost:
            call()
        raise error("The database went away.")


_present: Fault | None = None


def _met(call: Callable[[], T], error: type[Exception]) -> T:
    return _present.meet(call, error) if _present else call()


class _Cursor(sqlite3.Cursor):
    def execute(self, *args: Any) -> Any:
        return _met(partial(super().execute, *args), sqlite3.OperationalError)

    def executemany(self, *args: Any) -> Any:
        return _met(partial(super().executemany, *args), sqlite3.OperationalError)


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, *args: Any) -> Any:
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Any:
        return self.cursor().executemany(*args)

    def commit(self) -> None:
        _met(super().commit, sqlite3.OperationalError)


@pytest.fixture
def faulty_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that are opened from now on can meet a fault."""
    connect, wait = sqlite3.dbapi2.connect, Connection.wait

    def waiting(self: Connection, *args: Any, **given: Any) -> Any:
        return _met(partial(wait, self, *args, **given), psycopg.OperationalError)

    monkeypatch.setattr(sqlite3.dbapi2, "connect", partial(connect, factory=_Connection))
    monkeypatch.setattr(Connection, "wait", waiting)
