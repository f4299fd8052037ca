"""The requests to gateways: stored once, closed when answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Engine, Row, select, update

from cqrs_app.areas.payments.events import (
    PaymentAuthorisationRequested,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
)
from cqrs_app.areas.payments.tables import gateway_requests
from cqrs_app.kernel import Recorded
from cqrs_app.kernel.effects import Lease, insert_into, new_id, reader_of

LEASE = Lease(timedelta(seconds=60))
"""A gateway may take 20 seconds, the command with its answer 30."""

_REQUEST = gateway_requests.c

Asking = (
    PaymentAuthorisationRequested
    | PaymentCaptureRequested
    | PaymentVoidRequested
    | PaymentRefundRequested
)
"""The events that request something of a gateway."""


class Overtaken(Exception):
    """The lease ended and somebody else may send the request: what this one did next would not
    count.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """One row of gateway_requests."""

    request_key: str
    payment_id: str
    request_no: int
    state: str
    asked: int
    failures: int
    last_error: str | None
    next_attempt_at: datetime | None
    requested_at: datetime
    taken_by: str | None
    taken_until: datetime | None


def requested_of(row: Row[Any]) -> Requested:
    return Requested(**row._mapping)


class GatewayRequestStore:
    """Every method is one short transaction on the write store."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._clock = clock

    def due(self) -> list[str]:
        """The keys of requests that are due and that nobody is sending now."""
        now = self._clock()
        found = select(_REQUEST.request_key).where(*self._ready(now))
        with self._reader.connect() as connection:
            return list(connection.execute(found.order_by(_REQUEST.next_attempt_at)).scalars())

    def take(self, key: str) -> Requested | None:
        """The request, leased to the caller; None if it is not due."""
        now = self._clock()
        taken = (
            update(gateway_requests)
            .where(_REQUEST.request_key == key, *self._ready(now))
            .values(taken_by=new_id(), taken_until=LEASE.end(), asked=_REQUEST.asked + 1)
            .returning(gateway_requests)
        )
        with self._engine.begin() as connection:
            row = connection.execute(taken).one_or_none()
        return requested_of(row) if row else None

    def save(self, request: Requested, **changes: Any) -> None:
        """Save these changes and end the lease. Raises Overtaken if another process holds it by
        now.
        """
        held = (_REQUEST.request_key == request.request_key) & (
            _REQUEST.taken_by == request.taken_by
        )
        values = {"taken_by": None, "taken_until": None} | changes
        with self._engine.begin() as connection:
            if not connection.execute(update(gateway_requests).where(held).values(values)).rowcount:
                raise Overtaken(request.request_key)

    def _ready(self, now: datetime) -> tuple[Any, ...]:
        free = LEASE.is_free(_REQUEST.taken_until)
        return _REQUEST.state == "open", _REQUEST.next_attempt_at <= now, free


def keep(connection: Connection, asking: Iterable[Recorded]) -> None:
    """Add a row for each of these events; a request is known by its event, so repeating this
    changes nothing.
    """
    row = insert_into(connection, gateway_requests).on_conflict_do_nothing()
    connection.execute(row, [_values(each) for each in asking])


def _values(recorded: Recorded) -> dict[str, Any]:
    stored, event = recorded.stored, cast(Asking, recorded.event)
    return {
        "request_key": stored.id,
        "payment_id": event.payment_id,
        "request_no": event.request_no,
        "state": "open",
        "asked": 0,
        "failures": 0,
        "next_attempt_at": stored.recorded_at,
        "requested_at": stored.recorded_at,
    }
