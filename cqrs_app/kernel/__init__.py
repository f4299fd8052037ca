"""CQRS and event sourcing as a library.

Everything an area needs to define messages, aggregates, projections, queries and subscriptions is
imported from here. An area that sends commands itself or calls external systems also imports
`effects`. The other modules are private to the kernel. See README.md.
"""

from __future__ import annotations

from cqrs_app.kernel.commands.aggregate import Aggregate, Claim, Decision, Ownership
from cqrs_app.kernel.commands.handling import Rule, handles, refuse_unless, rule
from cqrs_app.kernel.commands.performer import Performer
from cqrs_app.kernel.errors import Invalid, Refusal, Refused
from cqrs_app.kernel.events.recorded import Recorded, UnreadableEvent
from cqrs_app.kernel.messages.decimals import decimal_meta
from cqrs_app.kernel.messages.messages import Command, Event, Query, command, event, query, value
from cqrs_app.kernel.messages.normal import NormalForm
from cqrs_app.kernel.messages.patterns import ID, LINES, ONE_LINE, UUID
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.messages.sentences import NEEDED, counted
from cqrs_app.kernel.privacy.erasure import SubjectErased
from cqrs_app.kernel.privacy.personal import ERASED, PERSONAL, erased
from cqrs_app.kernel.projections.projection import Handler, Projection, snake
from cqrs_app.kernel.projections.rows import Key, Row, Rows
from cqrs_app.kernel.projections.state import StateProjection, table_of
from cqrs_app.kernel.queries.answers import (
    actions_of,
    from_past,
    from_state,
    listed,
    projected,
    state_as,
)
from cqrs_app.kernel.queries.paging import (
    COUNTED_TO,
    MOST_COUNTS,
    Count,
    Limit,
    ListQuery,
    Mark,
    Page,
    Place,
    Sort,
    counts_of,
    mark_problems,
    page_of,
)
from cqrs_app.kernel.queries.past import WHOLE, Past, PastRows, Until
from cqrs_app.kernel.queries.word_search import word_column, words_begin
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.search_words import fold, index_words, readings
from cqrs_app.kernel.store.among import among
from cqrs_app.kernel.store.columns import Amount, BigKey, UtcDateTime
from cqrs_app.kernel.store.tables import read_tables, write_tables
from cqrs_app.kernel.subscriptions.subscription import Subscription
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask

__all__ = [
    "COUNTED_TO",
    "ERASED",
    "ID",
    "LINES",
    "MOST_COUNTS",
    "NEEDED",
    "ONE_LINE",
    "PERSONAL",
    "UUID",
    "WHOLE",
    "Aggregate",
    "Amount",
    "Area",
    "BackgroundTask",
    "BigKey",
    "Claim",
    "Command",
    "Count",
    "Decision",
    "Event",
    "Handler",
    "Invalid",
    "Key",
    "Limit",
    "ListQuery",
    "Mark",
    "NormalForm",
    "Ownership",
    "Page",
    "Past",
    "PastRows",
    "Performer",
    "Permission",
    "Place",
    "Projection",
    "Query",
    "Recorded",
    "Refusal",
    "Refused",
    "Role",
    "Row",
    "Rows",
    "Rule",
    "Sort",
    "StateProjection",
    "SubjectErased",
    "Subscription",
    "UnreadableEvent",
    "Until",
    "UtcDateTime",
    "actions_of",
    "among",
    "command",
    "counted",
    "counts_of",
    "decimal_meta",
    "erased",
    "event",
    "fold",
    "from_past",
    "from_state",
    "handles",
    "index_words",
    "listed",
    "mark_problems",
    "page_of",
    "projected",
    "query",
    "read_tables",
    "readings",
    "refuse_unless",
    "rule",
    "snake",
    "state_as",
    "table_of",
    "value",
    "word_column",
    "words_begin",
    "write_tables",
]
