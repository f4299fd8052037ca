"""The attachments of an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.platform.transfer.attachments.tables import order_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file. Size in bytes, time in UTC."""

    number: int
    name: str
    media_type: str
    size: int
    sha256: str
    attached_by: str
    attached_at: datetime


_COLUMNS = [order_files.c[name] for name in Attachment.__annotations__]


@query(label="Attachments of an order", permission=VIEW, store="write")
class OrderAttachments(Query):
    """The files kept with one order, in the order in which they were attached."""

    order_id: OrderId


def order_attachments(question: OrderAttachments, connection: Connection) -> tuple[Attachment, ...]:
    found = select(*_COLUMNS).where(
        order_files.c.order_id == question.order_id, order_files.c.number.is_not(None)
    )
    rows = connection.execute(found.order_by(order_files.c.number))
    return tuple(Attachment(**row._mapping) for row in rows)
