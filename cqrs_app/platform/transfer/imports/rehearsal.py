"""A dry run of an import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from cqrs_app.areas.checks.payments import costs_of
from cqrs_app.areas.orders.order import Order
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.batch import Foreseen
from cqrs_app.kernel.commands.previews import BATCH_CHUNK
from cqrs_app.platform.transfer.imports.documents import Document, Profile
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format
from cqrs_app.platform.transfer.imports.importer import (
    Progress,
    bus_item_of,
    bus_items,
    chunks_of,
    headers_of,
    not_taken,
)
from cqrs_app.platform.transfer.imports.newcomers import Newcomer, NewcomerCounts, Newcomers
from cqrs_app.platform.transfer.imports.report import counted_by_reason, described, examples, texts
from cqrs_app.platform.transfer.imports.set_aside import SetAsideRows


@dataclass(slots=True)
class Rehearsal:
    """`documents` are orders and credit notes: `new` would be imported, `extended` exist and would
    get further events, `already_there` would not change, `refused` would be set aside with all
    their rows. `orders_by_currency` and `total_by_currency` are the orders that are not refused,
    and what they would cost with discounts, shipping and tax. `commands` and flags are those that
    would be new. Customers and products are counted as in the report of an import."""

    rows: int = 0
    taken: int = 0
    set_aside: int = 0
    set_aside_by_reason: dict[str, int] = field(default_factory=dict)
    set_aside_examples: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    differing_times: int = 0
    documents: int = 0
    new: int = 0
    extended: int = 0
    already_there: int = 0
    refused: int = 0
    orders_by_currency: Counter[str] = field(default_factory=Counter)
    total_by_currency: dict[str, Decimal] = field(default_factory=dict)
    refused_by_code: Counter[str] = field(default_factory=Counter)
    registered_customers: int = 0
    products: int = 0
    there_already: dict[str, int] = field(default_factory=dict)
    commands: int = 0
    flags: int = 0
    flagged_orders: int = 0
    flags_by_code: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        # asdict would copy a Counter wrongly, counting its pairs.
        counters = ("refused_by_code", "flags_by_code", "orders_by_currency")
        counts = {name: dict(sorted(getattr(self, name).items())) for name in counters}
        totals = {"total_by_currency": texts(self.total_by_currency)}
        return {"dry_run": True} | asdict(self) | counts | totals


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What an import would lead to, and the rows that it would set aside."""

    figures: Rehearsal
    set_aside: SetAsideRows
    headers: dict[str, tuple[str, ...]]


def rehearse_file(
    kernel: Kernel,
    profile: Profile,
    path: Path,
    progress: Progress,
    given: Format = DETECTED,
) -> Rehearsed:
    """Read a file and decide everything in it, each command on top of those before it.

    Writes nothing, neither events nor rows of the command log. Raises BadFile like the import.
    """
    contents = profile.read(path, given)
    result = Rehearsal(rows=contents.rows, files=described(contents))
    newcomer_counts, newcomers = NewcomerCounts(), Newcomers(profile)
    for chunk in chunks_of(contents):
        result.documents += len(chunk)
        taken: list[tuple[Document, list[Foreseen]]] = []
        for document, steps in _foreseen(kernel, profile, chunk):
            if steps[0].error is not None:
                result.refused += 1
                refused = not_taken(kernel, contents, document, steps[0].error)
                contents.set_aside.extend(refused)
                continue
            newcomers.learn(document)
            taken.append((document, steps))
            _judge(result, document, steps)
            _count_flags(result, kernel, profile, steps)
        _add_costs(result, kernel, taken)
        progress(contents.passed, contents.count)
    for some in newcomers.chunks(BATCH_CHUNK, newcomer_counts):
        result.commands += _rehearse(kernel, profile, some, newcomer_counts)
    contents.set_aside.explain(profile.reasons)
    result.set_aside_by_reason = counted_by_reason(profile, contents)
    result.set_aside_examples = examples(contents)
    result.set_aside = len(contents.set_aside)
    result.differing_times = contents.differing_times
    result.taken = result.rows - result.set_aside
    result.refused_by_code += newcomer_counts.refused
    for name, figure in newcomer_counts.figures().items():
        setattr(result, name, figure)
    return Rehearsed(result, contents.set_aside, headers_of(contents))


def _foreseen(
    kernel: Kernel, profile: Profile, chunk: Sequence[Document]
) -> Iterator[tuple[Document, list[Foreseen]]]:
    """All steps of a document share a rehearsal, since no other document affects its order."""
    items = [item for each in chunk for item in bus_items(profile, each, each.steps)]
    foreseen = iter(kernel.commands.rehearse(items))
    for document in chunk:
        yield document, [next(foreseen) for _ in document.steps]


def _rehearse(
    kernel: Kernel, profile: Profile, new: Sequence[Newcomer], newcomer_counts: NewcomerCounts
) -> int:
    """Count the outcomes for customers and products; returns how many would be new."""
    foreseen = kernel.commands.rehearse([bus_item_of(profile, each) for each in new])
    for newcomer, each in zip(new, foreseen, strict=True):
        newcomer_counts.note(newcomer, each.error)
    return sum(each.receipt is not None and not each.receipt.repeated for each in foreseen)


def _judge(result: Rehearsal, document: Document, steps: Sequence[Foreseen]) -> None:
    """Count the outcome of a document that would be imported."""
    for step, each in zip(document.steps[1:], steps[1:], strict=True):
        if each.error is not None:
            result.refused_by_code[f"{type(step.command).__name__}.{each.error.code}"] += 1
    new = [each for each in steps if each.receipt is not None and not each.receipt.repeated]
    result.commands += len(new)
    if steps[0] in new:
        result.new += 1
    elif new:
        result.extended += 1
    else:
        result.already_there += 1


def _add_costs(
    result: Rehearsal, kernel: Kernel, taken: Sequence[tuple[Document, Sequence[Foreseen]]]
) -> None:
    """Add what the orders would cost, or do where they are here already."""
    orders = {Order.stream_of(each.key): (each, steps) for each, steps in taken if _is_order(each)}
    here = [stream for stream, (_, [first, *_]) in orders.items() if not first.events]
    stored, decode = kernel.store.events_of_each(here) if here else {}, kernel.registry.codec.decode
    for stream, (document, steps) in orders.items():
        events = [*stored.get(stream, ()), *(event for each in steps for event in each.events)]
        costs = costs_of(document.key, (decode(each).event for each in events))
        result.orders_by_currency[costs.currency] += 1
        total = result.total_by_currency.get(costs.currency, Decimal(0))
        result.total_by_currency[costs.currency] = total + costs.total


def _is_order(document: Document) -> bool:
    return document.kind == "order"


def _count_flags(
    result: Rehearsal, kernel: Kernel, profile: Profile, steps: Sequence[Foreseen]
) -> None:
    decode = kernel.registry.codec.decode
    events = [decode(stored).event for each in steps for stored in each.events]
    flags: list[Any] = [event for event in events if isinstance(event, profile.flagged)]
    result.flags += len(flags)
    result.flagged_orders += bool(flags)
    result.flags_by_code.update(f"{flag.task}.{flag.code}" for flag in flags)
