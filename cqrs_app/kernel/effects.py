"""What an area needs beyond the facade: to send commands, to call external systems, or to write in
the transaction of the event log, as a process manager does."""

from __future__ import annotations

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.batch import Outcome
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.consequences import (
    Consequences,
    Effect,
    Prospect,
    Quantity,
    Rehearsed,
)
from cqrs_app.kernel.commands.context import Actor, Context, Receipt, new_id
from cqrs_app.kernel.commands.middleware import HISTORY, Middleware, Proceed
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import BusError, NotAllowed, VersionConflict
from cqrs_app.kernel.events.recorded import FIRST_HASH, EventCodec, StoredEvent, chained
from cqrs_app.kernel.messages.fields import hints_of, plain_json
from cqrs_app.kernel.messages.messages import parse
from cqrs_app.kernel.queries.freshness import head_of, lag_after
from cqrs_app.kernel.registry import events_in
from cqrs_app.kernel.signing import NotGenuine, headers, require_genuine
from cqrs_app.kernel.store import Change, EventStore, Head, LogEntry, event_store
from cqrs_app.kernel.store.engines import insert_into, reader_of
from cqrs_app.kernel.store.tables import claims, events, streams, subject_keys
from cqrs_app.kernel.subscriptions.cursors import cursors_in
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.kernel.subscriptions.schedule import pause_after
from cqrs_app.kernel.subscriptions.subscription import Overtaken

__all__ = [
    "FIRST_HASH",
    "HISTORY",
    "Actor",
    "BusError",
    "Call",
    "Change",
    "Consequences",
    "Context",
    "Effect",
    "EventCodec",
    "EventStore",
    "Head",
    "Kernel",
    "Lease",
    "LogEntry",
    "Middleware",
    "NotAllowed",
    "NotGenuine",
    "Outcome",
    "Overtaken",
    "Proceed",
    "Prospect",
    "Quantity",
    "Receipt",
    "Rehearsed",
    "Repository",
    "StoredEvent",
    "VersionConflict",
    "chained",
    "claims",
    "cursors_in",
    "event_store",
    "events",
    "events_in",
    "head_of",
    "headers",
    "hints_of",
    "insert_into",
    "lag_after",
    "new_id",
    "parse",
    "pause_after",
    "plain_json",
    "reader_of",
    "require_genuine",
    "streams",
    "subject_keys",
]
