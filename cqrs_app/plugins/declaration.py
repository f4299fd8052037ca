"""The parts of which a package declares its area, beside those of the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.messages.messages import Command, Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages of things of one kind, made from their messages: `/PATH` and `/PATH/IDENTITY`.

    `list` is a ListQuery whose rows have the identity of the aggregate; each of its other fields
    becomes a filter. `get` takes the identity and nothing else, and answers with what the page of
    one thing shows, or None: unless given, with the aggregate's state as a row of the list.
    `actions` likewise with `actions_of(aggregate)`. `starts` are the commands that create one,
    offered above the list; `batched` those for several rows. `one` is the noun for one thing, in
    lower case; `icon` is one of static/icons.svg; `key` opens the list after "g".

    A template PATH/list.html, PATH/one.html or PATH/_one.html of the package replaces the page, or
    the part of it that follows the changes. It may extend the one of records/.
    """

    aggregate: type[Aggregate]
    path: str
    list: type[Query]
    title: str = ""
    one: str = ""
    get: type[Query] = Query
    actions: type[Query] = Query
    starts: Sequence[type[Command]] = ()
    batched: Sequence[type[Command]] = ()
    icon: str = "stack-2"
    key: str = ""

    @property
    def identity(self) -> str:
        return self.aggregate.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntry:
    """What the timeline of an order says about an event of the area. `detail` are names and texts,
    nothing personal."""

    order_id: str
    label: str
    detail: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """How much there is of something that is watched. `cost` says what it costs, `remedy` what to
    do; `subject` tells several alarms of a rule apart; `since` is None where nobody knows."""

    title: str
    cost: str
    remedy: str
    value: float
    subject: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """Raise an alert once an alarm has had a value of `raise_at` or more for `pending_seconds`.

    `measure` gets a connection to the read store and the time. The name begins with that of the
    area and an underscore. Administrators can change the numbers.
    """

    name: str
    title: str
    measure: Callable[[Connection, datetime], Iterable[Alarm]]
    unit: Literal["", "count", "seconds", "percent", "days"] = "count"
    raise_at: int = 1
    pending_seconds: int = 60
    severity: Literal["critical", "warning"] = "warning"
