"""Creates batches: chooses the items, freezes them, and sends CreateBatch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import EnumType
from typing import Any, cast

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.description import Field, fields_of
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command, Query, parse
from cqrs_app.kernel.privacy.personal import personal_fields, texts_in
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.queries.paging import LARGEST_PAGE
from cqrs_app.kernel.store.columns import MONEY_PLACES
from cqrs_app.platform.batches.chosen import Chosen
from cqrs_app.platform.batches.commands import CreateBatch
from cqrs_app.platform.batches.items import Items, signs
from cqrs_app.platform.macros.macros import Macro, Macros
from cqrs_app.platform.macros.steps import Step
from cqrs_app.platform.transfer.exports.lists import Listing, question_of
from cqrs_app.platform.views.commands import TEAM

MOST_CHOSEN = 5_000
"""Items that are looked up at a time."""
SEARCH = "q"
"""The filter that is a free text."""
LONGEST_ID = 200
"""No id of a thing is longer."""
MOST_VERSION = 2**31 - 1
LONGEST_SHOWN = 40
"""Characters of an unusable id in a sentence."""
PERSONAL_SHARED = (
    "Items of a batch cannot share personal data. Nothing was created. Send the command to each "
    "item by itself."
)
UNSEEN = (
    "Nobody signs what they were not shown. Nothing was created. Have the batch checked first, or "
    "name each request with the version that was seen."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """What a batch is to do: one `command` with its `fields`, or the steps of a `macro`, of whoever
    creates it or of the team. The items are those `named` (their ids, each with the version that
    was seen, or None), or all that match `filters` where that is not None: texts by name, as in the
    URL of the list."""

    batch_id: str
    command: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    macro: str = ""
    named: Sequence[tuple[str, int | None]] = ()
    filters: Mapping[str, Sequence[str]] | None = None
    start: bool = False

    @property
    def was_seen(self) -> bool:
        """Whether each item is named with the version that was seen."""
        return self.filters is None and all(version is not None for _, version in self.named)


class Batches:
    """`choosers` maps the category of a stream to the query that chooses things of that kind: its
    rows have `subject` and `version`, and `ids` names them. Or it is their list, whose rows have
    the identity and `applied_version`. A batch has at most `most` items."""

    def __init__(self, kernel: Kernel, choosers: Mapping[str, type[Query]], most: int) -> None:
        self._kernel = kernel
        self._choosers = choosers
        self._items = Items(kernel.engines.write, kernel.clock)
        self._most = most

    def create(self, new: NewBatch, actor: Actor, channel: str) -> Receipt:
        """Create the batch. Sent again under its id, it is left as it is.

        Raises Invalid where the command, its fields, the macro or the filters cannot be used, or
        there are no items or too many; NotAllowed; and what the buses raise. Then nothing is
        created.
        """
        context = Context(actor=actor, channel=channel, command_id=new.batch_id)
        macro = self._macro(new, actor)
        steps = (
            tuple(map(Step.from_text, macro.steps)) if macro else (Step(new.command, new.fields),)
        )
        classes = []
        for step in steps:
            cls = self._kernel.registry.command(step.command)
            self._kernel.commands.authorise(cls, context)
            self._check_fields(cls, step, new, from_text=macro is not None)
            classes.append(cls)
        # Its stream is the one whose version is checked.
        cls = next((each for each in classes if each.declaration.minds_version), classes[0])
        _check_named(new.named)
        if new.start and signs(steps) and not new.was_seen:
            raise Invalid("The batch", {"start": UNSEEN})
        total = self._items.freeze(
            new.batch_id,
            cls.__name__,
            new.fields,
            self._source(cls, new),
            self._counted(self._chosen(cls, new, actor)),
            creator=actor,
            macro=macro,
        )
        if not total:
            sentence = "No items match, so nothing was created." if new.filters is not None else ""
            raise Invalid("The batch", {"items": sentence or "Choose at least one item."})
        command = CreateBatch(
            batch_id=new.batch_id,
            command=cls.__name__,
            total=total,
            start=new.start,
            macro=macro.name if macro else "",
        )
        return self._kernel.commands.execute(command, context)

    def macros(self, actor: Actor) -> list[Macro]:
        """The actor's, then those of the team's with other names."""
        store, found = self._kernel.store, Macros()
        repository = Repository(store, self._kernel.registry.codec)
        streams = [Macros.stream_of(owner) for owner in (actor.name, TEAM)]
        heads = store.load_many(streams)
        for stream in streams:
            if head := heads.get(stream):
                more = cast(Macros, repository.at(Macros, stream, head))
                found.saved += [each for each in more.saved if not found.find(each.name)]
        return found.saved

    def _macro(self, new: NewBatch, actor: Actor) -> Macro | None:
        if not new.macro:
            return None
        if new.command or new.fields:
            raise Invalid("The batch", {"macro": "Give either a macro or a command."})
        found = next((each for each in self.macros(actor) if each.has(new.macro)), None)
        if found is None:
            sentence = f"There is no macro named {new.macro}. Nothing was created."
            raise Invalid("The batch", {"macro": sentence})
        return found

    def commands_of(self, batch_id: str) -> tuple[str, ...]:
        """The names of the commands of a batch; none if there is no such batch."""
        return self._items.commands_of(batch_id)

    def chooser(self, command: type[Command]) -> type[Query]:
        """The query that chooses items by filters. Raises Invalid if there is none."""
        found = self._choosers.get(self._category(command))
        if found is None:
            raise Invalid("The batch", {"filter": "These items can only be chosen by their ids."})
        return found

    def offers(self, commands: Iterable[type[Command]], subjects: Sequence[str]) -> dict[str, int]:
        """Command -> how many of these things allow it now, by the rules that need no fields.
        Raises Invalid."""
        _check_named([(subject, None) for subject in subjects])
        store, counts = self._kernel.store, Counter[str]()
        repository = Repository(store, self._kernel.registry.codec)
        for aggregate, handlers in self._by_aggregate(commands).items():
            heads = store.load_many(map(aggregate.stream_of, subjects))
            for subject in subjects:
                stream = aggregate.stream_of(subject)
                head = heads.get(stream)
                found = repository.at(aggregate, stream, head, ()) if head else aggregate()
                counts.update(
                    name
                    for name, handler in handlers.items()
                    if handler.objection(found, subject) is None
                )
        return counts

    def _by_aggregate(
        self, commands: Iterable[type[Command]]
    ) -> dict[type[Aggregate], dict[str, Handler]]:
        found: dict[type[Aggregate], dict[str, Handler]] = {}
        for each in commands:
            handler = self._kernel.registry.routes[each]
            found.setdefault(handler.aggregate, {})[each.__name__] = handler
        return found

    def identity(self, command: type[Command]) -> str:
        """The field of the command that each item fills in."""
        return self._kernel.registry.routes[command].aggregate.identity

    def _category(self, command: type[Command]) -> str:
        return self._kernel.registry.routes[command].aggregate.category

    def _check_fields(
        self, cls: type[Command], step: Step, new: NewBatch, *, from_text: bool
    ) -> None:
        identity = self.identity(cls)
        if identity in step.fields:
            raise Invalid(step.command, {identity: "Each item of the batch has its own."})
        # They belong to one person each, with whose key they are sealed; a batch has no such key.
        personal = [each for each in personal_fields(cls) if any(texts_in(step.fields.get(each)))]
        if personal:
            raise Invalid(step.command, dict.fromkeys(personal, PERSONAL_SHARED))
        values = {**step.fields, identity: new.named[0][0] if new.named else "1"}
        try:
            parse(cls, values, from_text=from_text)
        except Invalid as error:
            # An unusable id concerns its item, which is refused.
            problems = {name: each for name, each in error.problems.items() if name != identity}
            if problems:
                raise Invalid(step.command, problems) from None

    def _chosen(self, cls: type[Command], new: NewBatch, actor: Actor) -> Iterator[Chosen]:
        """Raises Invalid at once, about the filters."""
        context = QueryContext(actor=actor, cached=False)
        if new.filters is not None:
            question = question_of(Listing(self.chooser(cls), {}), new.filters)
            return self._matching(question, self.identity(cls), context)
        chooser = self._choosers.get(self._category(cls))
        portions = (
            new.named[start : start + MOST_CHOSEN]
            for start in range(0, len(new.named), MOST_CHOSEN)
        )
        return (each for named in portions for each in self._named(cls, chooser, named, context))

    def _source(self, cls: type[Command], new: NewBatch) -> str:
        if new.filters is None:
            return f"{len(new.named):,} chosen"
        fields = {each.name: each for each in fields_of(self.chooser(cls))}
        given = "; ".join(
            _in_words(fields.get(name), name, texts)
            for name, texts in new.filters.items()
            if any(texts)
        )
        return f"All with {given}" if given else "All"

    def _matching(self, question: Any, identity: str, context: QueryContext) -> Iterator[Chosen]:
        chooses = _has_ids(type(question))
        names = ("subject", "version") if chooses else (identity, "applied_version")
        question = replace(question, limit=MOST_CHOSEN if chooses else LARGEST_PAGE)
        while True:
            page = self._kernel.queries.ask(question, context).value
            for row in page.rows:
                subject, version = (getattr(row, name) for name in names)
                yield _chosen(subject, version, row)
            if page.next is None:
                return
            question = replace(question, after=page.next)

    def _named(
        self,
        cls: type[Command],
        chooser: type[Query] | None,
        named: Sequence[tuple[str, int | None]],
        context: QueryContext,
    ) -> Iterator[Chosen]:
        """With the amounts that lists show, and the present version where none was seen."""
        prefix = self._category(cls) + "-"
        unseen = [prefix + subject for subject, version in named if version is None]
        versions = self._kernel.store.versions_of(unseen)
        known: dict[str, Any] = {}
        if chooser is not None and _has_ids(chooser):
            ids = tuple(subject for subject, _ in named)
            page = self._kernel.queries.ask(chooser(ids=ids), context).value  # type: ignore[call-arg]
            known = {row.subject: row for row in page.rows}
        for subject, seen in named:
            version = versions.get(prefix + subject, 0) if seen is None else seen
            row = known.get(subject)
            yield _chosen(subject, version, row)

    def _counted(self, chosen: Iterable[Chosen]) -> Iterator[Chosen]:
        for number, each in enumerate(chosen, 1):
            if number > self._most:
                sentence = (
                    f"A batch has at most {self._most:,} items. Nothing was created. Narrow the "
                    "filters, or ask an administrator for a higher MAX_BATCH_ITEMS."
                )
                raise Invalid("The batch", {"items": sentence})
            yield each


def _has_ids(chooser: type[Query]) -> bool:
    return "ids" in hints_of(chooser)


def _check_named(named: Sequence[tuple[str, int | None]]) -> None:
    """Raise Invalid for what the store cannot hold."""
    for subject, version in named:
        if not 0 < len(subject) <= LONGEST_ID or not subject.isprintable():
            shown = repr(subject[:LONGEST_SHOWN])
            raise Invalid("The batch", {"ids": f"{shown} cannot be an id. Nothing was created."})
        if version is not None and not 0 <= version <= MOST_VERSION:
            raise Invalid(
                "The batch", {"ids": f"{subject} has no version {version}. Nothing was created."}
            )


def _chosen(subject: str, version: int, row: Any) -> Chosen:
    """With the amount and its currency, where the row of a list or a chooser has them."""
    amount = getattr(row, "amount", None)
    if isinstance(amount, Decimal):
        amount = int(amount.scaleb(MONEY_PLACES))
    return Chosen(subject, version, amount, getattr(row, "currency", ""))


def _in_words(field: Field | None, name: str, texts: Sequence[str]) -> str:
    """A filter as it is written above a list."""
    # A search is often for a person, whose name must not outlive an erasure here.
    if name == SEARCH:
        return "a search text"
    if field is None:
        return f"{name}: {' or '.join(texts)}"
    return f"{field.title}: {' or '.join(_word(field.kind, each) for each in texts)}"


def _word(kind: Any, text: str) -> str:
    if kind is bool:
        return "yes" if text == "1" else "no"
    choices: Iterable[Any] = kind if isinstance(kind, EnumType) else ()
    return next((str(getattr(each, "label", text)) for each in choices if each.value == text), text)
