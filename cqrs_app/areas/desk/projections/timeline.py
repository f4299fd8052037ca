"""What happened to each order, in every area, with who and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Table

from cqrs_app.areas.desk.entries import assignments, fulfilment, orders, payments, stock
from cqrs_app.areas.desk.entries.entry import Entry
from cqrs_app.areas.desk.entries.orders import FOLLOWED, Facts, exchange_placed, facts_after
from cqrs_app.areas.desk.read_models import order_timeline
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.orders.events import OrderPlaced, is_of_an_order
from cqrs_app.areas.orders.types import person_of
from cqrs_app.areas.payments.events import PaymentMoved
from cqrs_app.kernel import (
    Event,
    Key,
    Projection,
    Recorded,
    Rows,
    SubjectErased,
    erased,
    snake,
)
from cqrs_app.kernel.effects import hints_of

ENTRIES: dict[type[Event], Callable[[Any], Entry | None]] = {
    **orders.ENTRIES,
    **payments.ENTRIES,
    **stock.ENTRIES,
    **fulfilment.ENTRIES,
    **assignments.ENTRIES,
}
Further = Mapping[type[Event], Callable[[Any], tuple[str, Entry]]]
"""Events of areas that other packages bring: the order that one is about, and its entry."""
_WRITER = msgspec.json.Encoder()
_READER = msgspec.json.Decoder(dict[str, str])


class OrderTimelineProjection(Projection):
    """One row per event and order."""

    name: ClassVar[str] = "order_timeline"
    version: ClassVar[int] = 8
    tables: ClassVar[tuple[Table, ...]] = (order_timeline,)

    def __init__(self, further: Further | None = None) -> None:
        super().__init__()
        self._further = further or {}

    def bind(self, events: Iterable[type[Event]]) -> None:
        """Every event of an order has an entry; the event's name is used where no other text is
        defined.
        """
        declared = list(events)
        super().bind(declared)
        for event in declared:
            if event in ENTRIES or is_of_an_order(event):
                self.handlers[event.__name__] = _enter
            if event in self._further:
                self.handlers[event.__name__] = self._enter_further

    def _enter_further(self, event: Any, recorded: Recorded, rows: Rows) -> None:
        order_id, entry = self._further[type(event)](event)
        _put(rows, recorded, order_id, entry, {}, {})

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        if recorded.version > 1 and is_of_an_order(type(recorded.event)):
            yield order_timeline, (_order_of(recorded), recorded.stream, recorded.version - 1)

    def subject_erased(self, event: SubjectErased, recorded: Recorded, rows: Rows) -> None:
        for row in rows.where(order_timeline, subject=event.subject):
            personal = _READER.decode(row["personal"])
            row["personal"] = _json({name: erased(text) for name, text in personal.items()})


def _enter(event: Any, recorded: Recorded, rows: Rows) -> None:
    entry = ENTRIES.get(type(event), _by_name)(event)
    if entry is None or _is_covered_by_the_answer(recorded):
        return
    before: dict[str, str] = {}
    facts: Facts = {}
    if is_of_an_order(type(event)):
        known = _facts_before(recorded, rows)
        facts = facts_after(known, event)
        entry, before = _with_changes(entry, known, facts)
    for order_id in _orders_of(event):
        _put(rows, recorded, order_id, entry, before, facts)
    if isinstance(event, OrderPlaced) and event.exchange_for:
        _put(rows, recorded, event.exchange_for, exchange_placed(event), {}, {})


def _put(
    rows: Rows,
    recorded: Recorded,
    order_id: str,
    entry: Entry,
    before: Mapping[str, str],
    facts: Facts,
) -> None:
    stored = recorded.stored
    personal = {name: text for name, text in entry.personal.items() if text}
    rows.put(
        order_timeline,
        order_id=order_id,
        stream=stored.stream,
        version=stored.version,
        position=stored.position,
        kind=str(entry.kind),
        at=stored.occurred_at,
        recorded_at=stored.recorded_at,
        operator=stored.operator,
        type=stored.type,
        label=entry.label,
        item=entry.item,
        quantity=entry.quantity,
        detail=_json([pair for pair in entry.detail if pair[1]]),
        personal=_json(personal),
        subject=_owner(recorded, facts) if personal else "",
        before=_json(before),
        facts=_json(facts),
        command_id=stored.command_id,
    )


def _owner(recorded: Recorded, facts: Facts) -> str:
    """The subject whose key seals the event's personal texts."""
    return person_of(facts.get("customer_id", "")) or recorded.stream


def _facts_before(recorded: Recorded, rows: Rows) -> Facts:
    """The facts after the order's previous event. That event may have been skipped."""
    if recorded.version == 1:
        return {}
    order_id, stream = _order_of(recorded), recorded.stream
    row = rows.get(order_timeline, order_id, stream, recorded.version - 1)
    if row is None:
        earlier = rows.where(order_timeline, order_id=order_id, stream=stream)
        row = max(earlier, key=lambda each: each["version"], default=None)
    return _READER.decode(row["facts"]) if row else {}


def _with_changes(entry: Entry, known: Facts, facts: Facts) -> tuple[Entry, dict[str, str]]:
    """The entry with each fact that changed, and the former texts by name."""
    changed = [fact for fact in FOLLOWED if known and known[fact] != facts[fact]]
    if not changed:
        return entry, {}
    detail, before = list(entry.detail), dict[str, str]()
    for name, text_of in map(FOLLOWED.__getitem__, changed):
        if name not in dict(detail):
            detail.append((name, text_of(facts) or "None"))
        if text_of(known):
            before[name] = text_of(known)
    return replace(entry, detail=tuple(detail)), before


def _by_name(event: Any) -> Entry:
    words = snake(type(event).__name__).removeprefix("order_").replace("_", " ")
    texts = tuple(
        (name.replace("_", " ").capitalize(), value)
        for name in hints_of(type(event))
        if name != "order_id" and isinstance(value := getattr(event, name), str)
    )
    return Entry(EntryKind.ORDER, words.capitalize(), texts)


def _is_covered_by_the_answer(recorded: Recorded) -> bool:
    by_itself = recorded.stored.operator == fulfilment.OPERATOR
    return by_itself and type(recorded.event) in payments.COVERED_BY_THE_ANSWER


def _orders_of(event: Any) -> tuple[str, ...]:
    if isinstance(event, PaymentMoved):
        return event.from_order_id, event.order_id
    return (event.order_id,)


def _order_of(recorded: Recorded) -> str:
    event: Any = recorded.event
    order_id: str = event.order_id
    return order_id


def _json(value: Any) -> str:
    return _WRITER.encode(value).decode()
