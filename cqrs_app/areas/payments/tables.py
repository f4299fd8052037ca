"""What the write store holds of the conversation with gateways: the requests to carry out, their
progress, and the sandbox's books. None of it can be rebuilt from events: it records what was done
in the outside world.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from cqrs_app.kernel import Amount, UtcDateTime, write_tables

gateway_requests = Table(
    "gateway_requests",
    write_tables,
    # The id of the requesting event: how the gateway recognises a repetition.
    Column("request_key", String(40), primary_key=True),
    Column("payment_id", String(60), nullable=False),
    Column("request_no", Integer, nullable=False),
    # open, or closed: answered, whoever brought the answer.
    Column("state", String(10), nullable=False),
    # How often the request was sent, and how often in a row the gateway could not be reached.
    Column("asked", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_error", Text),
    # None: nothing is sent until somebody answers.
    Column("next_attempt_at", UtcDateTime),
    Column("requested_at", UtcDateTime, nullable=False),
    # The lease: who is sending the request, and until when others keep away.
    Column("taken_by", String(36)),
    Column("taken_until", UtcDateTime),
)
Index("ix_gateway_requests_payment_id", gateway_requests.c.payment_id)
_open = gateway_requests.c.state == "open"
Index(
    "ix_gateway_requests_next_attempt_at",
    gateway_requests.c.next_attempt_at,
    postgresql_where=_open,
    sqlite_where=_open,
)

# The sandbox's own books: the requests it received under each key, and how often.
sandbox_requests = Table(
    "sandbox_requests",
    write_tables,
    Column("request_key", String(40), primary_key=True),
    Column("asked", String(20), nullable=False),
    Column("amount", Amount, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("method", String(100), nullable=False),
    Column("times", Integer, nullable=False),
    Column("first_at", UtcDateTime, nullable=False),
)
