"""The receipt of an erasure: when, by whom, and what the stores still hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Select, func, literal, select

from cqrs_app.areas.customers.commands import ERASE
from cqrs_app.areas.customers.customer import EMAIL, Customer
from cqrs_app.areas.customers.events import CustomerErased
from cqrs_app.areas.customers.types import CustomerId
from cqrs_app.kernel import Query, query
from cqrs_app.kernel.effects import claims, events, subject_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureProof:
    """`event_hash` (hexadecimal) is the hash of CustomerErased in the chain of `stream`, which
    `flask events verify` recomputes. `keys` counts the keys that could still open a value, `claims`
    the e-mail addresses still held: both are counted at reading, and are 0. Keys of orders and
    numbers that the customer owned are included.
    """

    customer_id: str
    erased_at: datetime
    operator: str
    reason: str
    command_id: str
    stream: str
    version: int
    event_hash: str
    key_destroyed_at: datetime
    keys: int
    claims: int


@query(label="Receipt of an erasure", permission=ERASE, store="write")
class ErasureReceipt(Query):
    """Proof that one customer was erased; None if they were not."""

    customer_id: CustomerId


def erasure_receipt(question: ErasureReceipt, connection: Connection) -> ErasureProof | None:
    stream = Customer.stream_of(question.customer_id)
    erasure = select(events).where(
        events.c.stream == stream, events.c.type == CustomerErased.__name__
    )
    row = connection.execute(erasure).first()
    if row is None:
        return None
    keys = select(func.count(subject_keys.c.wrapped), func.max(subject_keys.c.erased_at)).where(
        subject_keys.c.subject.in_(owned_by(stream))
    )
    left, destroyed_at = connection.execute(keys).one()
    of_email = (claims.c.kind == EMAIL, claims.c.stream == stream)
    held = select(func.count()).select_from(claims).where(*of_email)
    return ErasureProof(
        customer_id=question.customer_id,
        erased_at=row.occurred_at,
        operator=row.operator,
        reason=msgspec.json.decode(row.payload, type=CustomerErased).reason,
        command_id=row.command_id,
        stream=stream,
        version=row.version,
        event_hash=row.hash.hex(),
        key_destroyed_at=destroyed_at,
        keys=left,
        claims=connection.execute(held).scalar_one(),
    )


def owned_by(stream: str) -> Select[tuple[str]]:
    """The subject, those that it owns, and those that they own."""
    keys = subject_keys.c
    owned = select(literal(stream).label("subject")).cte("owned", recursive=True)
    more = select(keys.subject).join(owned, keys.owner == owned.c.subject)
    return select(owned.union(more).c.subject)
