"""Carries a file's documents through the command bus, in chunks, as often as it takes.

Each document has its own fixed command id, so an import that was killed is simply started again:
what is in answers with its first receipt and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cqrs_app.imports.documents import Contents, Document, Profile
from cqrs_app.imports.report import Report, read_back
from cqrs_app.imports.source import SourceRow
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.command_bus import BATCH_CHUNK
from cqrs_app.kernel.context import Actor, Context
from cqrs_app.kernel.middleware import HISTORY
from cqrs_app.operators.roles import system_actor

IMPORTER: Actor = system_actor("importer", "orders.place", "credit_notes.record", HISTORY)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to; `set_aside` are rows with the reason they were not taken."""

    report: Report
    set_aside: list[tuple[SourceRow, str]]


def import_file(
    kernel: Kernel, profile: Profile, path: Path, progress: Callable[[int, int], None]
) -> Imported:
    """Import one file. `progress` is told (documents done, documents in all).

    Raises BadFile, before anything is changed, when the file cannot be used.
    """
    contents = profile.read(path)
    started = time.perf_counter()
    taken, refused = _carry_out(kernel, profile, contents, progress)
    seconds = max(time.perf_counter() - started, 1e-9)
    set_aside = sorted([*contents.set_aside, *refused], key=lambda pair: pair[0].line)
    for name in kernel.registry.projections:
        kernel.runner.advance(name)
    report = read_back(
        kernel,
        IMPORTER,
        taken,
        rows=contents.rows,
        reasons=_counted(profile.reasons, set_aside),
        per_second=len(contents.documents) / seconds,
    )
    return Imported(report, set_aside)


def _carry_out(
    kernel: Kernel, profile: Profile, contents: Contents, progress: Callable[[int, int], None]
) -> tuple[list[Document], list[tuple[SourceRow, str]]]:
    taken: list[Document] = []
    refused: list[tuple[SourceRow, str]] = []
    documents = contents.documents
    for start in range(0, len(documents), BATCH_CHUNK):
        chunk = documents[start : start + BATCH_CHUNK]
        outcomes = kernel.commands.execute_batch(
            [(each.command, _context(profile, each)) for each in chunk]
        )
        for document, outcome in zip(chunk, outcomes, strict=True):
            if outcome.error is None:
                taken.append(document)
            else:
                refused += [(row, outcome.error.code) for row in document.rows]
        progress(start + len(chunk), len(documents))
    return taken, refused


def _context(profile: Profile, document: Document) -> Context:
    return Context(
        actor=IMPORTER,
        channel="import",
        command_id=document.command_id(profile.name),
        occurred_at=document.occurred_at,
    )


def _counted(reasons: Iterable[str], set_aside: list[tuple[SourceRow, str]]) -> dict[str, int]:
    counted = dict.fromkeys(reasons, 0)
    for _, reason in set_aside:
        counted[reason] = counted.get(reason, 0) + 1
    return counted
