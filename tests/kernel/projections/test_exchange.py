"""An exchange that fails leaves the connection as others need it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from cqrs_app.kernel.projections import exchange as module


def test_the_schema_cannot_be_written_after_an_exchange_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'read.db'}")
    monkeypatch.setattr(module, "_RENAME", text("UPDATE sqlite_schema SET missing = :id"))
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE orders (id)"))
        with pytest.raises(DatabaseError, match="no such column"):
            module.exchange(connection, ["orders"])
        connection.rollback()
        with pytest.raises(DatabaseError, match="may not be modified"):
            connection.execute(text("UPDATE sqlite_schema SET name = name"))
    engine.dispose()
