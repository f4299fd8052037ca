"""Sends the documents of a file through the command bus, in chunks. Idempotent.

Each step of a document has a fixed command id, so an import that was killed is simply started
again: steps that are done return their first receipt and change nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from cqrs_app.areas.types import IMPORTER
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.bus import BATCH_CHUNK
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.errors import BusError, CommandReused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.operators.roles import system_actor
from cqrs_app.platform.transfer.imports.documents import (
    Contents,
    Document,
    ImportReport,
    Profile,
    SetAside,
    Step,
    Taken,
    series_of,
)
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format
from cqrs_app.platform.transfer.imports.newcomers import Newcomer, NewcomerCounts, Newcomers
from cqrs_app.platform.transfer.imports.report import read_back

MOST_EXAMPLES = 50
LONGEST_VALUE = 200
ALREADY_HERE = (
    "An earlier import brought in this document with other content. What is here was left as it is."
)

Progress = Callable[[int, int], None]
"""Called with (documents done, total documents)."""

Item = tuple[Command, Context]


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import; `set_aside` are the rows that were not imported, each with its
    reason."""

    report: ImportReport
    set_aside: list[SetAside]
    headers: dict[str, tuple[str, ...]]


@dataclass(slots=True)
class _Carried:
    """The outcome of the documents; `refused` counts later steps of imported documents."""

    taken: list[Taken] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    newcomer_counts: NewcomerCounts = field(default_factory=NewcomerCounts)
    commands: int = 0


def import_file(
    kernel: Kernel,
    profile: Profile,
    path: Path,
    progress: Progress,
    given: Format = DETECTED,
) -> Imported:
    """Import one file, folder or archive; `given` is its format if it is not to be detected.

    Raises BadFile, before anything is changed, if it cannot be used.
    """
    contents = profile.read(path, given)
    started = time.perf_counter()
    carried = _carry_out(kernel, profile, contents, progress)
    seconds = max(time.perf_counter() - started, 1e-9)
    set_aside = explained(profile, [*contents.set_aside, *carried.set_aside])
    for name in kernel.registry.projections:
        kernel.runner.advance(name)
    report = (profile.read_back or read_back)(
        kernel,
        importer_of(profile),
        carried.taken,
        contents=contents,
        set_aside_by_reason=counted_by_reason(profile, set_aside),
        set_aside_examples=examples(set_aside),
        refused_by_code=dict(carried.refused + carried.newcomer_counts.refused),
        newcomer_counts=carried.newcomer_counts,
        is_charge=profile.is_charge,
        per_second=carried.commands / seconds,
    )
    headers = {name: file.header for name, file in contents.files.items()}
    return Imported(report, set_aside, headers)


def importer_of(profile: Profile) -> Actor:
    """The actor of an import, which may run the commands of the profile, with past times, and no
    others."""
    permissions = {command.declaration.permission for command in profile.commands}
    return system_actor(IMPORTER, *permissions, HISTORY)


def bus_items(profile: Profile, document: Document, steps: Sequence[Step]) -> Iterator[Item]:
    """Some of a document's steps, as items for the command bus."""
    for step in steps:
        yield _bus_item(profile, step, document.command_id(series_of(profile), step))


def bus_item_of(profile: Profile, newcomer: Newcomer) -> Item:
    """A customer or product, as an item for the command bus."""
    return _bus_item(profile, newcomer.step, newcomer.command_id)


def _bus_item(profile: Profile, step: Step, command_id: str) -> Item:
    actor = importer_of(profile)
    context = Context(
        actor=actor,
        channel="import",
        command_id=command_id,
        occurred_at=step.at,
        doubts=step.doubts,
        source=step.source,
        waived=step.waived,
    )
    return step.command, context


def explained(profile: Profile, set_aside: Sequence[SetAside]) -> list[SetAside]:
    """In the order of the file, each with a sentence."""
    ordered = sorted(set_aside, key=lambda each: (each.row.file, each.row.line))
    return [
        each if each.sentence else replace(each, sentence=profile.reasons.get(each.reason, ""))
        for each in ordered
    ]


def counted_by_reason(profile: Profile, set_aside: Sequence[SetAside]) -> dict[str, int]:
    """Rows per reason: every reason of the profile, even if unused, and any others."""
    return dict.fromkeys(profile.reasons, 0) | Counter(each.reason for each in set_aside)


def examples(set_aside: Sequence[SetAside]) -> list[dict[str, Any]]:
    """The first row set aside per reason and column, at most MOST_EXAMPLES."""
    first: dict[tuple[str, str], SetAside] = {}
    for each in set_aside:
        first.setdefault((each.reason, each.column), each)
    return [
        {
            "file": each.row.file,
            "line": each.row.line,
            "reason": each.reason,
            "column": each.column,
            "value": each.value[:LONGEST_VALUE],
            "sentence": each.sentence,
        }
        for each in islice(first.values(), MOST_EXAMPLES)
    ]


def not_taken(document: Document, error: BusError) -> Iterator[SetAside]:
    """The rows of a document whose first command is refused."""
    code, sentence = error.code, error.sentence
    if isinstance(error, CommandReused):
        code, sentence = "already_here_with_other_content", ALREADY_HERE
    for row in document.rows:
        yield SetAside(row, code, sentence)


def _carry_out(
    kernel: Kernel, profile: Profile, contents: Contents, progress: Progress
) -> _Carried:
    carried, documents = _Carried(), contents.in_order
    newcomers = Newcomers(profile, documents)
    for start in range(0, len(documents), BATCH_CHUNK):
        chunk = documents[start : start + BATCH_CHUNK]
        _carry_out_chunk(kernel, profile, chunk, newcomers, carried)
        progress(start + len(chunk), len(documents))
    return carried


def _carry_out_chunk(
    kernel: Kernel,
    profile: Profile,
    chunk: Sequence[Document],
    newcomers: Newcomers,
    carried: _Carried,
) -> None:
    # If the first step is refused, the later ones would apply to another document of the same
    # number.
    firsts = [item for each in chunk for item in bus_items(profile, each, each.steps[:1])]
    begun = []
    for document, outcome in zip(chunk, kernel.commands.execute_batch(firsts), strict=True):
        if outcome.error is None:
            begun.append(document)
        else:
            carried.set_aside += not_taken(document, outcome.error)
    new = list(newcomers.of(begun, carried.newcomer_counts))
    later = [item for each in begun for item in bus_items(profile, each, each.steps[1:])]
    outcomes = kernel.commands.execute_batch(
        [*(bus_item_of(profile, each) for each in new), *later]
    )
    for each, outcome in zip(new, outcomes, strict=False):
        carried.newcomer_counts.note(each, outcome.error)
    for (command, _), outcome in zip(later, outcomes[len(new) :], strict=True):
        if outcome.error is not None:
            carried.refused[f"{type(command).__name__}.{outcome.error.code}"] += 1
    carried.taken += [each.taken for each in begun]
    carried.commands += len(firsts) + len(outcomes)
