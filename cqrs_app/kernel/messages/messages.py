"""Commands, events and queries: frozen, typed, validated on construction, serialisable.

A field's limits are part of its type, `Annotated[str, Meta(max_length=40, title="Order")]`.
Construction, forms, API and documentation all use them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar, cast, dataclass_transform

from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.checks import checked, converted
from cqrs_app.kernel.messages.fields import hints_of, required_of
from cqrs_app.kernel.messages.permissions import Permission
from cqrs_app.kernel.messages.sentences import NEEDED, NO_SUCH_FIELD

T = TypeVar("T")
C = TypeVar("C", bound=type)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a command or a query declares apart from its fields."""

    label: str
    permission: Permission
    minds_version: bool = False
    risky: bool = False
    undoable: bool = False
    step_up: bool = False
    reads: tuple[str, ...] = ()
    cached: bool = False
    hot: bool = False
    store: str = "read"
    listed: bool = True
    personal: bool = False


class Validated:
    """A message that is always valid: its constructor raises Invalid."""

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
        """Rules across fields: yields (field, sentence). Override where needed."""
        return iter(())


class Command(Validated):
    """A request to change something. It may be refused."""

    __slots__ = ()

    @property
    def concerns(self) -> str:
        """The stream of the person whose personal data it carries; empty for its own stream."""
        return ""


class Query(Validated):
    """A request for data. It changes nothing."""

    __slots__ = ()


class Event:
    """Something that happened; `schema` is the version of its payload's shape."""

    __slots__ = ()
    schema: ClassVar[int] = 1

    @classmethod
    def of(cls, message: Command, **more: Any) -> Self:
        """The event with `more`, and otherwise with the values of the message's fields of the same
        names."""
        taken = {name: getattr(message, name) for name in hints_of(cls) if name not in more}
        return cls(**taken, **more)

    @property
    def concerns(self) -> str:
        """The stream of the person whose personal data it carries; empty for its own stream."""
        return ""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def command(
    *,
    label: str,
    permission: Permission,
    minds_version: bool = False,
    risky: bool = False,
    undoable: bool = False,
    step_up: bool = False,
) -> Callable[[C], C]:
    """Declare a command. `minds_version`: it conflicts if the stream has changed since the operator
    read it. `risky`: it is hard to undo, and pages mark it so. `undoable`: it has nothing to ask;
    pages send it without a form, and it can be withdrawn for some seconds. `step_up`: pages ask who
    sends it to prove again who they are."""
    if undoable and step_up:
        raise ValueError(f"{label} cannot be undoable and need a proof: it is sent without a form")
    declared = Declaration(
        label,
        permission,
        minds_version=minds_version,
        risky=risky,
        undoable=undoable,
        step_up=step_up,
    )
    return _declare(declared)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def query(
    *,
    label: str,
    permission: Permission,
    reads: tuple[str, ...] = (),
    cached: bool = False,
    hot: bool = False,
    store: str = "read",
    listed: bool = True,
    step_up: bool = False,
    personal: bool = False,
) -> Callable[[C], C]:
    """Declare a query. `reads`: the projections it answers from. `cached`: keep the answers.
    `hot`: also compute those that are kept again when a projection has advanced.
    `store`: "read", or "write" for queries on events and the command log. `listed`: whether it can
    be asked by name; off for a query with a separate endpoint. `step_up`: pages ask who exports the
    whole list to prove again who they are. `personal`: the answer has personal data, so that it is
    recorded who saw it."""
    declared = Declaration(
        label,
        permission,
        reads=reads,
        cached=cached or hot,
        hot=hot,
        store=store,
        listed=listed,
        step_up=step_up,
        personal=personal,
    )
    return _declare(declared)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(*, schema: int = 1) -> Callable[[C], C]:
    """Declare an event with the schema number of its payload."""

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
    """Build a message from plain values (JSON, a stored payload). With `from_text`, values are
    texts for numbers, dates and the like (a URL, a command line), and one text is a list of one.

    Raises Invalid with a sentence per field: unknown, missing or invalid.
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
