"""The write store's table of requests."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from cqrs_app.kernel.store.columns import Amount, UtcDateTime
from cqrs_app.kernel.store.tables import write_tables

approval_requests = Table(
    "approval_requests",
    write_tables,
    Column("request_id", String(36), primary_key=True),
    Column("command", String(100), nullable=False),
    Column("stream", String(200), nullable=False),
    # Whose personal data the command carries.
    Column("person", String(200), nullable=False),
    Column("state", String(12), nullable=False),
    Column("asked_by", String(100), nullable=False),
    Column("asker", String(100), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # When the state ends by itself; empty once it is final.
    Column("due", UtcDateTime),
    # When to remind whoever can sign, or review.
    Column("remind_at", UtcDateTime),
    # Set while an override awaits review.
    Column("review_due", UtcDateTime),
    Column("amount", Amount),
    Column("currency", String(3), nullable=False),
    # The stage that waits, as JSON; empty if none does.
    Column("waiting", Text, nullable=False, server_default=""),
    # Who has signed, or was signed for: each name between two line ends.
    Column("given", Text, nullable=False, server_default=""),
    # The request as its events leave it, as JSON, in the shape of ApprovalRequest.
    Column("request", Text, nullable=False),
    Column("shape", Integer, nullable=False, server_default="0"),
    # Whether the person was erased.
    Column("erased", Boolean, nullable=False),
    Column("lease_until", UtcDateTime),
)
_requests = approval_requests.c
Index("ix_approval_requests_state", _requests.state, _requests.asked_at, _requests.request_id)
Index("ix_approval_requests_asked_at", _requests.asked_at, _requests.request_id)
Index("ix_approval_requests_asker", _requests.asker, _requests.asked_at)
Index("ix_approval_requests_stream", _requests.stream, _requests.state)
Index("ix_approval_requests_due", _requests.due)
Index(
    "ix_approval_requests_review_due",
    _requests.review_due,
    postgresql_where=_requests.review_due.is_not(None),
    sqlite_where=_requests.review_due.is_not(None),
)
Index("ix_approval_requests_remind_at", _requests.remind_at)
Index("ix_approval_requests_person", _requests.person)
Index("ix_approval_requests_shape", _requests.shape)

approval_delegations = Table(
    "approval_delegations",
    write_tables,
    Column("operator", String(40), primary_key=True),
    # Who may sign for them, and until when.
    Column("delegate", String(40), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
