"""A file read to its end: its documents and rows set aside as lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cqrs_app.platform.transfer.imports.documents import Document, Profile, SourceFile
from cqrs_app.platform.transfer.imports.formats import DETECTED, Format
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from cqrs_app.platform.transfer.imports.source import LIMITS, Limits


@dataclass(frozen=True, slots=True)
class Read:
    files: dict[str, SourceFile]
    rows: int
    documents: list[Document]
    set_aside: list[SetAside]
    differing_times: int


def read_by(profile: Profile) -> Callable[..., Read]:
    def read(path: Path, given: Format = DETECTED) -> Read:
        contents = profile.read(path, given)
        documents = list(contents.documents)
        assert contents.passed == contents.count
        rows = list(contents.set_aside)
        return Read(contents.files, contents.rows, documents, rows, contents.differing_times)

    return read


@contextmanager
def limited(**limits: int) -> Iterator[None]:
    """Other limits than the usual ones."""
    token = LIMITS.set(Limits(**limits))
    try:
        yield
    finally:
        LIMITS.reset(token)
