"""Keyset pagination: a page starts after the last row of the page before, at the same cost however
many rows precede it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select, tuple_

from cqrs_app.kernel.messages.messages import Query

T = TypeVar("T")

LARGEST_PAGE = 500
Limit = Annotated[int, Meta(title="Rows", ge=1, le=LARGEST_PAGE)]
Mark = Annotated[str, Meta(max_length=2_000)]
"""The boundary of a page, as in `Page.next` and `Page.previous`; empty for the first page."""

COUNTED_TO = 10_000
"""Counting stops behind it: its cost is bounded, however many rows there are."""
MOST_COUNTS = 101
"""Views of one person, of the team, and all: as many are counted at once."""
Count = Annotated[
    bool,
    Meta(
        title="Count",
        description=f"Also count the rows that fit, to {COUNTED_TO:,}: see `total` and `first`.",
    ),
]

DOES_NOT_FIT = "This page mark does not fit the list any more. Start again at the first page."


@dataclass(frozen=True, slots=True)
class Sort:
    """A list's order: columns that together identify one row, the last ones breaking ties.

    `first` is the type of the first column's values; the others are texts.
    """

    columns: tuple[ColumnElement[Any], ...]
    first: type[Any]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next` and `previous` are the marks of the adjacent pages, None if there is none.

    Where it was asked for, `total` is how many rows fit and `first` the number of the first row
    here, from 1; either is COUNTED_TO + 1 where it is more than COUNTED_TO.
    """

    rows: tuple[T, ...]
    next: str | None
    previous: str | None
    total: int | None = None
    first: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page starts: after a mark, before one, or at the beginning."""

    sort: str
    descending: bool
    after: str = ""
    before: str = ""
    limit: int
    count: bool = False


def mark_problems(place: Place, sort: Sort) -> Iterator[tuple[str, str]]:
    """For a query's `check`: what is wrong with its marks, such as one that somebody has edited."""
    if place.after and place.before:
        yield "before", "A page starts after one mark or before one, not both."
    for name, mark in (("after", place.after), ("before", place.before)):
        if mark and _values(mark, place, sort) is None:
            yield name, DOES_NOT_FIT


@dataclass(frozen=True, kw_only=True)
class ListQuery(Query):
    """A query for one page of a list.

    A subclass may have the field `count`. It declares its order with the fields `sort` and
    `descending`, or with class variables of these names if the order is fixed.
    """

    # Its fields have slots in the subclasses, which may have other bases too.
    __slots__ = ()
    named_last: ClassVar = ("after", "before", "limit", "count")
    sorts: ClassVar[Mapping[Any, Sort]]

    after: Mark = ""
    before: Mark = ""
    limit: Limit = 25

    @property
    def place(self) -> Place:
        query: Any = self
        return Place(
            sort=query.sort,
            descending=query.descending,
            after=query.after,
            before=query.before,
            limit=query.limit,
            count=getattr(query, "count", False),
        )

    def at(self, row: Mapping[str, Any]) -> str:
        """The mark of a row, whether or not it is in the list: what follows it is `after` it."""
        place, sort = self.place, self.sorts[self.place.sort]
        return _mark([row[column.key] for column in sort.columns if column.key], place)

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        yield from mark_problems(self.place, self.sorts[self.place.sort])

    def page(
        self, found: Select[Any], connection: Connection, make: Callable[[Row[Any]], T]
    ) -> Page[T]:
        """The requested page of `found`."""
        return page_of(found, self.place, self.sorts[self.place.sort], connection, make)


def page_of(
    found: Select[Any],
    place: Place,
    sort: Sort,
    connection: Connection,
    make: Callable[[Row[Any]], T],
) -> Page[T]:
    """One page of `found`, whose columns must include those of the sort."""
    every, backwards = found, bool(place.before)
    values = _values(place.before or place.after, place, sort)
    falling = place.descending != backwards
    if values is not None:
        found = found.where(_beyond(values, sort, falling=falling))
    order = [column.desc() if falling else column.asc() for column in sort.columns]
    rows = connection.execute(found.order_by(*order).limit(place.limit + 1)).all()
    more, rows = len(rows) > place.limit, rows[: place.limit]
    total = _counted(every, connection) if place.count else None
    if not rows:
        return Page((), None, None, total)
    if backwards:
        rows = rows[::-1]
    has_next = more or backwards
    has_previous = more if backwards else values is not None
    return Page(
        tuple(make(row) for row in rows),
        _mark(_values_of(rows[-1], sort), place) if has_next else None,
        _mark(_values_of(rows[0], sort), place) if has_previous else None,
        total,
        _number_of(rows[0], every, place, sort, connection) if place.count else None,
    )


def _beyond(values: Sequence[Any], sort: Sort, *, falling: bool) -> ColumnElement[bool]:
    """The rows that follow these values, in a falling order or in a rising one."""
    here = tuple_(*sort.columns)
    pairs = zip(values, sort.columns, strict=True)
    there = tuple_(*(literal(value, column.type) for value, column in pairs))
    return here < there if falling else here > there


def counts_of(founds: Iterable[Select[Any]], connection: Connection) -> tuple[int, ...]:
    """How many rows each of these has, at most COUNTED_TO + 1, in one statement."""
    counts = [_count(each).scalar_subquery() for each in founds]
    return tuple(connection.execute(select(*counts)).one()) if counts else ()


def _counted(found: Select[Any], connection: Connection) -> int:
    """How many rows there are, at most COUNTED_TO + 1."""
    return connection.execute(_count(found)).scalar_one()


def _count(found: Select[Any]) -> Select[int]:
    some = found.with_only_columns(literal(1).label("one"), maintain_column_froms=True)
    return select(func.count()).select_from(some.limit(COUNTED_TO + 1).subquery())


def _number_of(
    row: Row[Any], every: Select[Any], place: Place, sort: Sort, connection: Connection
) -> int:
    if not (place.after or place.before):
        return 1
    earlier = _beyond(_values_of(row, sort), sort, falling=not place.descending)
    return min(_counted(every.where(earlier), connection) + 1, COUNTED_TO + 1)


def _values_of(row: Row[Any], sort: Sort) -> list[Any]:
    return [row._mapping[column] for column in sort.columns]


def _mark(values: Sequence[Any], place: Place) -> str:
    content = msgspec.json.encode((place.sort, place.descending, *values))
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _values(mark: str, place: Place, sort: Sort) -> Sequence[Any] | None:
    if not mark:
        return None
    try:
        content = msgspec.json.decode(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
        name, descending, first, *rest = msgspec.convert(content, list[Any])
        values = [_of_type(first, sort.first), *(msgspec.convert(each, str) for each in rest)]
    except (binascii.Error, ValueError, ArithmeticError, RecursionError):
        return None
    fits = (name, descending) == (place.sort, place.descending)
    fits = fits and not any(isinstance(each, str) and "\x00" in each for each in values)
    return values if fits and len(values) == len(sort.columns) else None


def _of_type(value: Any, wanted: type[Any]) -> Any:
    """Convert to the type of a column. Raises ValueError for a value that no row can have."""
    converted = msgspec.convert(value, wanted)
    if isinstance(converted, datetime) and converted.tzinfo is None:
        raise ValueError(value)
    if isinstance(converted, datetime):
        return converted.astimezone(UTC)
    if isinstance(converted, Decimal) and not abs(converted) < Decimal(10) ** 14:
        raise ValueError(value)
    if isinstance(converted, Decimal) and converted != round(converted, 4):
        raise ValueError(value)
    if isinstance(converted, int) and not abs(converted) < 2**62:
        raise ValueError(value)
    return converted
