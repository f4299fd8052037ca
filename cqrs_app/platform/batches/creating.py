"""Creates batches: chooses the items, freezes them, and sends CreateBatch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Command, Query, parse
from cqrs_app.kernel.privacy.personal import personal_fields, texts_in
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.batches.commands import CreateBatch
from cqrs_app.platform.batches.items import Chosen, Items
from cqrs_app.platform.transfer.exports.lists import Listing, question_of

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """What a batch is to do. The items are those `named` (their ids, each with the version that was
    seen, or None), or all that match `filters` where that is not None: texts by name, as in the URL
    of the list."""

    batch_id: str
    command: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    named: Sequence[tuple[str, int | None]] = ()
    filters: Mapping[str, Sequence[str]] | None = None
    start: bool = False


class Batches:
    """`choosers` maps the category of a stream to the query that chooses things of that kind; a
    batch has at most `most` items."""

    def __init__(self, kernel: Kernel, choosers: Mapping[str, type[Query]], most: int) -> None:
        self._kernel = kernel
        self._choosers = choosers
        self._items = Items(kernel.engines.write, kernel.clock)
        self._most = most

    def create(self, new: NewBatch, actor: Actor, channel: str) -> Receipt:
        """Create the batch. Sent again under its id, it is left as it is.

        Raises Invalid where the command, its fields or the filters cannot be used, or there are no
        items or too many; NotAllowed; and what the buses raise. Then nothing is created.
        """
        cls = self._kernel.registry.command(new.command)
        context = Context(actor=actor, channel=channel, command_id=new.batch_id)
        self._kernel.commands.authorise(cls, context)
        self._check_fields(cls, new)
        _check_named(new.named)
        total = self._items.freeze(
            new.batch_id,
            new.command,
            new.fields,
            _source(new),
            self._counted(self._chosen(cls, new, actor)),
            created_by=actor.name,
            permissions=actor.permissions,
        )
        if not total:
            sentence = "No items match, so nothing was created." if new.filters is not None else ""
            raise Invalid("The batch", {"items": sentence or "Choose at least one item."})
        command = CreateBatch(
            batch_id=new.batch_id, command=new.command, total=total, start=new.start
        )
        return self._kernel.commands.execute(command, context)

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

    def _check_fields(self, cls: type[Command], new: NewBatch) -> None:
        identity = self.identity(cls)
        if identity in new.fields:
            raise Invalid(new.command, {identity: "Each item of the batch has its own."})
        # They belong to one person each, with whose key they are sealed; a batch has no such key.
        personal = [each for each in personal_fields(cls) if any(texts_in(new.fields.get(each)))]
        if personal:
            raise Invalid(new.command, dict.fromkeys(personal, PERSONAL_SHARED))
        try:
            parse(cls, {**new.fields, identity: new.named[0][0] if new.named else "1"})
        except Invalid as error:
            # An unusable id concerns its item, which is refused.
            problems = {name: each for name, each in error.problems.items() if name != identity}
            if problems:
                raise Invalid(new.command, problems) from None

    def _chosen(self, cls: type[Command], new: NewBatch, actor: Actor) -> Iterator[Chosen]:
        """Raises Invalid at once, about the filters."""
        context = QueryContext(actor=actor, cached=False)
        if new.filters is not None:
            question = question_of(Listing(self.chooser(cls), ()), new.filters)
            return self._matching(question, context)
        chooser = self._choosers.get(self._category(cls))
        portions = (
            new.named[start : start + MOST_CHOSEN]
            for start in range(0, len(new.named), MOST_CHOSEN)
        )
        return (each for named in portions for each in self._named(cls, chooser, named, context))

    def _matching(self, question: Any, context: QueryContext) -> Iterator[Chosen]:
        question = replace(question, limit=MOST_CHOSEN)
        while True:
            page = self._kernel.queries.ask(question, context).value
            yield from (Chosen(row.subject, row.version, *_worth(row)) for row in page.rows)
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
        known: dict[str, Chosen] = {}
        if chooser is not None:
            ids = tuple(subject for subject, _ in named)
            page = self._kernel.queries.ask(chooser(ids=ids), context).value  # type: ignore[call-arg]
            known = {row.subject: row for row in page.rows}
        for subject, seen in named:
            row = known.get(subject)
            yield Chosen(
                subject,
                versions.get(prefix + subject, 0) if seen is None else seen,
                *_worth(row),
            )

    def _counted(self, chosen: Iterable[Chosen]) -> Iterator[Chosen]:
        for number, each in enumerate(chosen, 1):
            if number > self._most:
                sentence = (
                    f"A batch has at most {self._most:,} items. Nothing was created. Narrow the "
                    "filters, or ask an administrator for a higher MAX_BATCH_ITEMS."
                )
                raise Invalid("The batch", {"items": sentence})
            yield each


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


def _worth(row: Any) -> tuple[Decimal | None, str]:
    """The amount and its currency, of things that have one."""
    return getattr(row, "amount", None), getattr(row, "currency", "")


def _source(new: NewBatch) -> str:
    if new.filters is None:
        return f"{len(new.named):,} chosen"
    # A search is often for a person, whose name must not outlive an erasure here.
    given = ", ".join(
        "a search text" if name == SEARCH else f"{name.replace('_', ' ')} {' or '.join(texts)}"
        for name, texts in new.filters.items()
        if any(texts)
    )
    return f"All with {given}" if given else "All"
