"""Declares what an aggregate handles, beside the method that decides it.

`@handles(HoldOrder, when=in_status(...))` names the command that a method is for, the rule on the
aggregate's state that is checked first, and the possible refusals. The routes of the command bus,
the actions on pages and the refusals in the catalogue are derived from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

from cqrs_app.kernel.commands.aggregate import Aggregate, Claim, Ownership
from cqrs_app.kernel.errors import Refusal, Refused
from cqrs_app.kernel.messages.messages import Command, Event

Decisions = Event | Refused | Claim | Ownership
Method = Callable[..., Iterable[Decisions]]
M = TypeVar("M", bound=Method)


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on the state of an aggregate, checked before its method and by pages that offer
    the command. `check` takes the aggregate and its identity, and raises one of `refusals`."""

    check: Callable[[Any, str], None]
    refusals: tuple[Refusal, ...]

    def __call__(self, aggregate: object, identity: str) -> None:
        self.check(aggregate, identity)

    def refusal(self, aggregate: object, identity: str) -> Refused | None:
        """The refusal, or None if the condition is met."""
        try:
            self.check(aggregate, identity)
        except Refused as refused:
            return refused
        return None


def rule(*refusals: Refusal, after: Rule | None = None) -> Callable[[Callable[..., None]], Rule]:
    """Make a Rule from a function; `after` is a rule that is checked first."""

    def decorate(check: Callable[..., None]) -> Rule:
        if after is None:
            return Rule(check, refusals)

        def both(aggregate: object, identity: str) -> None:
            after(aggregate, identity)
            check(aggregate, identity)

        return Rule(both, (*after.refusals, *refusals))

    return decorate


def refuse_unless(holds: Callable[[Any], bool], refusal: Refusal) -> Rule:
    """A Rule that refuses unless something holds of the aggregate, in the refusal's own words."""

    def check(aggregate: Any, identity: str) -> None:
        if not holds(aggregate):
            raise refusal.because(refusal.when)

    return Rule(check, (refusal,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """How one command is decided.

    `when` is the aggregate's rule on its own state; a command without one is not offered on pages.
    `rules` are those of other areas, which do not apply to history. `settings` are further
    arguments of the method, which also `takes_performer` if it declares it.
    """

    aggregate: type[Aggregate]
    method: Method
    when: Rule | None = None
    also_refused: tuple[Refusal, ...] = ()
    takes_performer: bool = False
    rules: tuple[Rule, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refusals(self) -> dict[str, str]:
        """Code -> when the command is refused with it."""
        return {each.code: each.when for each in self._declared()}

    @property
    def fields(self) -> dict[str, str]:
        """Code -> the field that is to be another one, for each refusal that is about one."""
        return {each.code: each.field for each in self._declared() if each.field}

    def run(self, aggregate: Aggregate, command: Command, *, history: bool) -> Iterator[Decisions]:
        """What the rules and then the method yield."""
        identity = getattr(command, aggregate.identity)
        for rule in self._rules_for(history=history):
            refused = rule.refusal(aggregate, identity)
            if refused:
                yield refused
        yield from self.method(aggregate, command, **self.settings)

    def given(self, arguments: Mapping[str, Any]) -> Handler:
        """With further arguments of the method."""
        return replace(self, settings={**self.settings, **arguments}) if arguments else self

    def objection(self, aggregate: Aggregate, identity: str) -> Refused | None:
        """Why the command is not possible now, judged without its fields; None if it is."""
        objections = (rule.refusal(aggregate, identity) for rule in self._rules_for(history=False))
        return next((each for each in objections if each), None)

    def _declared(self) -> Iterator[Refusal]:
        for rule in self._rules_for(history=False):
            yield from rule.refusals
        yield from self.also_refused

    def _rules_for(self, *, history: bool) -> Sequence[Rule]:
        own = () if self.when is None else (self.when,)
        return own if history else (*own, *self.rules)


def handles(
    command: type[Command],
    *,
    when: Rule | None = None,
    refusals: Iterable[Refusal] = (),
    performer: bool = False,
) -> Callable[[M], M]:
    """Declare that this method decides `command`. `refusals` are those that the method raises, or
    that are raised outside the aggregate. With `performer`, the method has a keyword argument of
    this name: the Performer."""

    def decorate(method: M) -> M:
        method.handles = (command, when, tuple(refusals), performer)  # type: ignore[attr-defined]
        return method

    return decorate


def handlers_of(aggregate: type[Aggregate]) -> dict[type[Command], Handler]:
    """Its commands in the order in which the class defines their methods, before those of its
    bases. Raises ValueError if two methods handle one command."""
    found: dict[type[Command], Handler] = {}
    for cls in aggregate.__mro__:
        for name, method in vars(cls).items():
            overridden = getattr(aggregate, name, None) is not method
            if overridden or not hasattr(method, "handles"):
                continue
            command, when, refusals, performer = method.handles
            if command in found:
                raise ValueError(f"{aggregate.__name__} has two methods for {command.__name__}")
            found[command] = Handler(
                aggregate=aggregate,
                method=method,
                when=when,
                also_refused=refusals,
                takes_performer=performer,
            )
    return found


def with_rules(handler: Handler, rules: Iterable[Rule]) -> Handler:
    """The handler with further rules, which other areas set."""
    return replace(handler, rules=(*handler.rules, *rules))


@dataclass(frozen=True, slots=True)
class Decided:
    """The result of a method: its events, in order, and the claims and ownerships that come with
    them."""

    events: tuple[Event, ...]
    claims: tuple[Claim, ...]
    ownerships: tuple[Ownership, ...] = ()


def decide(
    aggregate: Aggregate,
    handler: Handler,
    command: Command,
    at: datetime,
    *,
    history: bool = False,
    doubts: Iterable[Refused] = (),
    waived: Set[str] = frozenset(),
    warnings: Iterable[Refused] = (),
) -> Decided:
    """Run one command. The aggregate is left in the state after its events. Raises Refused.

    `history`: it happened at `at`, whatever the rules say: see `Aggregate.flag`. `doubts` are
    further objections to it, raised after everything else is decided; those with a code in
    `waived` are not flagged.
    `warnings` are flagged whether or not it is history.
    """
    events, claims, ownerships = [], [], []
    for each in chain(handler.run(aggregate, command, history=history), doubts):
        if isinstance(each, Claim):
            claims.append(each)
            continue
        if isinstance(each, Ownership):
            ownerships.append(each)
            continue
        event = each
        if isinstance(event, Refused):
            if not history:
                raise event
            flagged = aggregate.flag(event, command)
            if flagged is None or event.code in waived:
                continue
            event = flagged
        aggregate.evolve(event, at)
        events.append(event)
    for warning in warnings:
        flagged = aggregate.flag(warning, command)
        if flagged is not None:
            aggregate.evolve(flagged, at)
            events.append(flagged)
    return Decided(tuple(events), tuple(claims), tuple(ownerships))
