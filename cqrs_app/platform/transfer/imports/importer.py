"""Sends the documents of a file through the command bus, in chunks. Idempotent.

Each step of a document has a fixed command id, so an import that was killed is simply started
again: steps that are done return their first receipt and change nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cqrs_app.areas.types import IMPORTER
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.batch import Outcome
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.commands.previews import BATCH_CHUNK
from cqrs_app.kernel.errors import BusError, CommandReused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.operators.roles import system_actor
from cqrs_app.platform.transfer.imports.documents import (
    Contents,
    Document,
    ImportReport,
    Profile,
    Step,
    Taken,
    series_of,
)
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format
from cqrs_app.platform.transfer.imports.newcomers import Newcomer, NewcomerCounts, Newcomers
from cqrs_app.platform.transfer.imports.report import ReportHead, read_back
from cqrs_app.platform.transfer.imports.set_aside import SetAside, SetAsideRows
from cqrs_app.platform.transfer.imports.spooled import SpooledList

ALREADY_HERE = (
    "An earlier import brought in this document with other content. What is here was left as it is."
)

Progress = Callable[[int, int], None]
"""Called with (documents done, total documents), of which some may be set aside."""

Item = tuple[Command, Context]


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import; `set_aside` are the rows that were not imported, each with its
    reason."""

    report: ImportReport
    set_aside: SetAsideRows
    headers: dict[str, tuple[str, ...]]


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
    begun_at = time.perf_counter()
    contents = profile.read(path, given)
    carrying = _Carrying(kernel, profile, contents)
    for chunk in chunks_of(contents):
        carrying.carry_out(chunk)
        progress(contents.passed, contents.count)
    carrying.create_newcomers()
    contents.set_aside.explain(profile.reasons)
    kernel.runner.advance_all(kernel.registry.projections)
    report = (profile.read_back or read_back)(
        kernel,
        importer_of(profile),
        carrying.taken,
        head=ReportHead.of(
            profile,
            contents,
            refused_by_code=carrying.refused + carrying.newcomer_counts.refused,
            commands=carrying.commands,
            seconds=time.perf_counter() - begun_at,
            per_second=carrying.commands / max(carrying.seconds, 1e-9),
        ),
        newcomer_counts=carrying.newcomer_counts,
        is_charge=profile.is_charge,
    )
    return Imported(report, contents.set_aside, headers_of(contents))


def chunks_of(contents: Contents) -> Iterator[list[Document]]:
    """The documents, as many at a time as the command bus takes."""
    documents = iter(contents.documents)
    while chunk := list(islice(documents, BATCH_CHUNK)):
        yield chunk


def headers_of(contents: Contents) -> dict[str, tuple[str, ...]]:
    """File -> its columns."""
    return {name: file.header for name, file in contents.files.items()}


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


def not_taken(
    kernel: Kernel, contents: Contents, document: Document, error: BusError
) -> Iterator[SetAside]:
    """The rows of a document whose first command is refused. There is no column where the console,
    and not the file, is the reason."""
    command = document.steps[0].command
    route = kernel.registry.routes[type(command)]
    code, sentence, field = error.code, error.sentence, route.fields.get(error.code, "")
    if isinstance(error, CommandReused):
        code, sentence = "already_here_with_other_content", ALREADY_HERE
        field = route.aggregate.identity
    column = contents.column_of(field)
    for row in document.rows:
        # A file without a header has no columns, but the command has what was read.
        value = contents.text_of(row, column) or str(getattr(command, field, ""))
        yield SetAside(row, code, sentence, column, value)


class _Carrying:
    """Carries out documents. `refused` counts later steps of imported ones; `commands` took these
    `seconds`."""

    def __init__(self, kernel: Kernel, profile: Profile, contents: Contents) -> None:
        self._kernel = kernel
        self._profile = profile
        self._contents = contents
        self._newcomers = Newcomers(profile)
        self.taken = SpooledList(Taken)
        self.refused: Counter[str] = Counter()
        self.newcomer_counts = NewcomerCounts()
        self.commands = 0
        self.seconds = 0.0

    def carry_out(self, chunk: Sequence[Document]) -> None:
        # If the first step is refused, the later ones would apply to another document of the same
        # number.
        firsts = [item for each in chunk for item in bus_items(self._profile, each, each.steps[:1])]
        begun = []
        for document, outcome in zip(chunk, self._executed(firsts), strict=True):
            if outcome.error is None:
                begun.append(document)
                self.taken.append(document.taken)
                self._newcomers.learn(document)
            else:
                self._contents.set_aside.extend(
                    not_taken(self._kernel, self._contents, document, outcome.error)
                )
        later = [item for each in begun for item in bus_items(self._profile, each, each.steps[1:])]
        for (command, _), outcome in zip(later, self._executed(later), strict=True):
            if outcome.error is not None:
                self.refused[f"{type(command).__name__}.{outcome.error.code}"] += 1

    def create_newcomers(self) -> None:
        """Those whom the documents that were carried out name."""
        for some in self._newcomers.chunks(BATCH_CHUNK, self.newcomer_counts):
            outcomes = self._executed([bus_item_of(self._profile, each) for each in some])
            for each, outcome in zip(some, outcomes, strict=True):
                self.newcomer_counts.note(each, outcome.error)

    def _executed(self, items: list[Item]) -> Sequence[Outcome]:
        started = time.perf_counter()
        outcomes = self._kernel.commands.execute_batch(items)
        self.seconds += time.perf_counter() - started
        self.commands += len(items)
        return outcomes
