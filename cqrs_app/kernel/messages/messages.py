"""Commands, events and queries: frozen, typed, validated on construction, serialisable.

A field's limits stand in its type, `Annotated[str, Meta(max_length=40, title="Order")]`, and
serve every door: construction, forms, API and documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.checks import checked, converted
from cqrs_app.kernel.messages.fields import hints_of, required_of
from cqrs_app.kernel.messages.permissions import Permission
from cqrs_app.kernel.messages.sentences import NEEDED, NO_SUCH_FIELD

T = TypeVar("T")
C = TypeVar("C", bound=type)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a command or a query says of itself, apart from its fields."""

    label: str
    permission: Permission
    minds_version: bool = False
    risky: bool = False
    reads: tuple[str, ...] = ()
    cached: bool = False
    store: str = "read"
    listed: bool = True


class Validated:
    """A message that cannot exist with unusable values; raises Invalid from its constructor."""

    __slots__ = ()
    declaration: ClassVar[Declaration]

    def __post_init__(self) -> None:
        given = {name: getattr(self, name) for name in hints_of(type(self))}
        kept, found = checked(type(self), given)
        for name, each in kept.items():
            if each is not given[name]:
                object.__setattr__(self, name, each)
        found = found or dict(self.check())
        if found:
            raise Invalid(type(self).__name__, found)

    def check(self) -> Iterator[tuple[str, str]]:
        """Rules over several fields: yields (field, sentence). Overridden where needed."""
        return iter(())


class Command(Validated):
    """A task somebody wants done; may be refused."""

    __slots__ = ()

    @property
    def concerns(self) -> str:
        """The stream of the person whose personal data it carries; empty: its own stream."""
        return ""


class Query(Validated):
    """A question; changes nothing."""

    __slots__ = ()


class Event:
    """Something that happened; `schema` counts the shapes its payload has had."""

    __slots__ = ()
    schema: ClassVar[int] = 1

    @property
    def concerns(self) -> str:
        """The stream of the person whose personal data it carries; empty: its own stream."""
        return ""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(
    *, label: str, permission: Permission, minds_version: bool = False, risky: bool = False
) -> Callable[[C], C]:
    """Declare a command. `minds_version`: a change since the operator looked is a conflict;
    `risky`: not easily undone, so a page makes it look so."""
    return _declare(Declaration(label, permission, minds_version=minds_version, risky=risky))


@dataclass_transform(frozen_default=True, kw_only_default=True)
def query(
    *,
    label: str,
    permission: Permission,
    reads: tuple[str, ...] = (),
    cached: bool = False,
    store: str = "read",
    listed: bool = True,
) -> Callable[[C], C]:
    """Declare a query. `reads`: the projections it answers from; `cached`: keep the answer;
    `store`: "read", or "write" for questions about events and the command log themselves;
    `listed`: whether it is found by its name, which one with an endpoint to itself is not."""
    declared = Declaration(
        label, permission, reads=reads, cached=cached, store=store, listed=listed
    )
    return _declare(declared)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(*, schema: int = 1) -> Callable[[C], C]:
    """Declare an event with the number of its payload's shape."""

    def decorate(cls: C) -> C:
        made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.schema = schema
        return cast(C, made)

    return decorate


@dataclass_transform(frozen_default=True, kw_only_default=True)
def value(cls: C) -> C:
    """A frozen part of a message, such as an order line."""
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    return cast(C, made)


def _declare(declaration: Declaration) -> Callable[[C], C]:
    def decorate(cls: C) -> C:
        made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        made.declaration = declaration
        return cast(C, made)

    return decorate


def parse(cls: type[T], values: Mapping[str, Any], *, from_text: bool = False) -> T:
    """Build a message from plain values (JSON, a stored payload), or `from_text`: from texts that
    stand for numbers, dates and the like (an address, a command line).

    Raises Invalid with a sentence per field: unknown, missing or unusable.
    """
    hints = hints_of(cls)
    found = {name: NO_SUCH_FIELD for name in values if name not in hints}
    found |= {name: NEEDED for name in required_of(cls) if name not in values}
    made = {}
    for name in hints.keys() & values.keys():
        try:
            made[name] = converted(values[name], hints[name], name, from_text=from_text)
        except Invalid as error:
            found |= error.problems
    if found:
        raise Invalid(cls.__name__, found)
    return cls(**made)
