"""Reads single failures for the rules and for tests made of them."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, select

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.platform.failures.as_test import Sample
from cqrs_app.platform.failures.failure import FailureState
from cqrs_app.platform.failures.queries import state_of
from cqrs_app.platform.failures.tables import failures

_ROW = failures.c


class StoredFailures:
    """Each method is one short read of the write store."""

    def __init__(self, engine: Engine, clock: Clock = utc_now) -> None:
        self._reader = reader_of(engine)
        self._clock = clock

    def state(self, failure_id: str) -> FailureState | None:
        """Its kind and state, or None."""
        found = select(_ROW.kind, _ROW.state, _ROW.ignored_until)
        with self._reader.connect() as connection:
            row = connection.execute(found.where(_ROW.failure_id == failure_id)).first()
        if row is None:
            return None
        return FailureState(row.kind, state_of(row.state, row.ignored_until, self._clock()))

    def sample(self, failure_id: str) -> Sample | None:
        """Its last occurrence, or None."""
        found = select(failures).where(_ROW.failure_id == failure_id)
        with self._reader.connect() as connection:
            row = connection.execute(found).first()
        if row is None:
            return None
        sample = msgspec.json.decode(row.sample)
        return Sample(
            kind=row.kind,
            place=row.place,
            title=f"{row.error}: {row.message} ({row.code})",
            subject=sample.get("subject", ""),
            type=sample.get("type", ""),
            version=sample.get("version", 0),
            fields=sample.get("fields", {}),
            seen_at=row.last_seen,
        )
