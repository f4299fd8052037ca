"""Claims: who works on an order now, as a lease; and who else has it open. A claim keeps two
people from working on the same order; what they do is guarded by the order's version."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, literal, null, or_, select, union_all, update

from cqrs_app.kernel.clock import Clock, utc_now
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.platform.queue.tables import order_claims, order_presence

OPEN = Lease(timedelta(seconds=60))
"""How long an operator counts as having an order open after their page last asked."""
RENEWED_AFTER = timedelta(seconds=20)
"""A lease is written again no sooner than this, however often pages ask."""
_CLAIM, _OPEN = order_claims.c, order_presence.c


@dataclass(frozen=True, slots=True)
class Held:
    """A claim; `seconds` are left of it."""

    operator: str
    seconds: float
    claimed_at: datetime

    @property
    def minutes(self) -> int:
        """Those left, at least 1."""
        return max(1, round(self.seconds / 60))


@dataclass(frozen=True, slots=True)
class Attention:
    """Who has claimed an order, or None, and who else has it open."""

    claim: Held | None = None
    also_open: tuple[str, ...] = ()


class Claims:
    """Claims in the write store, of so many minutes. Any process may call it at any time."""

    def __init__(self, engine: Engine, minutes: float, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._reader = reader_of(engine)
        self._lease = Lease(timedelta(minutes=minutes))
        self._clock = clock

    def claim(self, order_id: str, operator: str) -> bool:
        """Claim an order that nobody else has claimed; whether it is this operator's now."""
        mine = _CLAIM.operator == operator
        free = self._lease.is_free(_CLAIM.lease_until)
        return self._take(order_id, operator, where=or_(mine, free))

    def claim_free(self, order_id: str, operator: str) -> bool:
        """Claim an order that nobody has claimed, not even this operator on another page."""
        return self._take(order_id, operator, where=self._lease.is_free(_CLAIM.lease_until))

    def take_over(self, order_id: str, holder: str, operator: str) -> bool:
        """Move the claim of its holder; whether it was still theirs."""
        moved = update(order_claims).where(
            *_mine(order_id, holder), ~self._lease.is_free(_CLAIM.lease_until)
        )
        moved = moved.values(
            operator=operator, claimed_at=self._clock(), lease_until=self._lease.end()
        )
        with self._engine.begin() as connection:
            return connection.execute(moved.returning(_CLAIM.order_id)).scalar() is not None

    def release(self, order_id: str, operator: str) -> None:
        """End the operator's claim of an order."""
        with self._engine.begin() as connection:
            connection.execute(delete(order_claims).where(*_mine(order_id, operator)))

    def held(self, order_ids: Collection[str]) -> dict[str, Held]:
        """The claims of these orders."""
        if not order_ids:
            return {}
        live = ~self._lease.is_free(_CLAIM.lease_until)
        found = select(order_claims).where(_CLAIM.order_id.in_(order_ids), live)
        with self._reader.connect() as connection:
            return {row.order_id: self._held(row) for row in connection.execute(found)}

    def attend(self, order_id: str, operator: str) -> Attention:
        """The operator has the order open: renew what is due, and return who else works on it."""
        claim, open_to = self._attention(order_id)
        if claim and claim.operator == operator:
            due = self._lease.length - RENEWED_AFTER
            if claim.seconds < due.total_seconds():
                claim = self._renewed(order_id, operator) or claim
        left = open_to.get(operator)
        if left is None or left < (OPEN.length - RENEWED_AFTER).total_seconds():
            self._open(order_id, operator)
        return Attention(claim, tuple(sorted(open_to.keys() - {operator})))

    def forget_old(self) -> None:
        """Delete leases that ended."""
        with self._engine.begin() as connection:
            free = self._lease.is_free(_CLAIM.lease_until)
            connection.execute(delete(order_claims).where(free))
            connection.execute(delete(order_presence).where(OPEN.is_free(_OPEN.lease_until)))

    def _take(self, order_id: str, operator: str, where: ColumnElement[bool]) -> bool:
        now, until = self._clock(), self._lease.end()
        row: dict[str, Any] = {"order_id": order_id, "operator": operator}
        with self._engine.begin() as connection:
            added = insert_into(connection, order_claims).values(
                **row, claimed_at=now, lease_until=until
            )
            taken = added.on_conflict_do_update(
                index_elements=["order_id"],
                set_={"operator": operator, "claimed_at": now, "lease_until": until},
                where=where,
            )
            return connection.execute(taken.returning(_CLAIM.order_id)).scalar() is not None

    def _renewed(self, order_id: str, operator: str) -> Held | None:
        """None if the claim ended meanwhile."""
        live = ~self._lease.is_free(_CLAIM.lease_until)
        renewal = update(order_claims).where(*_mine(order_id, operator), live)
        renewal = renewal.values(lease_until=self._lease.end())
        with self._engine.begin() as connection:
            row = connection.execute(renewal.returning(order_claims)).one_or_none()
        return self._held(row) if row else None

    def _open(self, order_id: str, operator: str) -> None:
        until = OPEN.end()
        with self._engine.begin() as connection:
            added = insert_into(connection, order_presence).values(
                order_id=order_id, operator=operator, lease_until=until
            )
            connection.execute(
                added.on_conflict_do_update(
                    index_elements=["order_id", "operator"], set_={"lease_until": until}
                )
            )

    def _attention(self, order_id: str) -> tuple[Held | None, Mapping[str, float]]:
        """The claim, and how many seconds are left of each presence."""
        claims = select(order_claims, literal(1).label("is_claim")).where(
            _CLAIM.order_id == order_id, ~self._lease.is_free(_CLAIM.lease_until)
        )
        present = select(
            _OPEN.order_id,
            _OPEN.operator,
            null().label("claimed_at"),
            _OPEN.lease_until,
            literal(0).label("is_claim"),
        ).where(_OPEN.order_id == order_id, ~OPEN.is_free(_OPEN.lease_until))
        with self._reader.connect() as connection:
            rows = connection.execute(union_all(claims, present)).all()
        claim = next((self._held(row) for row in rows if row.is_claim), None)
        return claim, {row.operator: self._left(row) for row in rows if not row.is_claim}

    def _held(self, row: Any) -> Held:
        return Held(row.operator, self._left(row), row.claimed_at)

    def _left(self, row: Any) -> float:
        left: timedelta = row.lease_until - self._clock()
        return left.total_seconds()


def _mine(order_id: str, operator: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _CLAIM.order_id == order_id, _CLAIM.operator == operator
