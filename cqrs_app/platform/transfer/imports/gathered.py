"""Rows of a file by their document, which comes in whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from cqrs_app.platform.transfer.imports.documents import Contents
from cqrs_app.platform.transfer.imports.source import SourceRow

UNREADABLE = "unreadable"

T = TypeVar("T")


class Gathered(Generic[T]):
    """`T` is what a row is understood as. Rows of one document need not stand together; their
    order is kept, and so is that of the documents."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._found: dict[str, list[tuple[SourceRow, T]]] = {}
        self._broken: set[str] = set()

    def add(self, number: str, source: SourceRow, understood: T) -> None:
        """A row of the document with this number."""
        self._found.setdefault(number, []).append((source, understood))

    def unreadable(self, source: SourceRow, number: str) -> None:
        """A row that nobody can read, of the document with this number; blank: of no one knows
        which."""
        self._contents.set_aside.append((source, UNREADABLE))
        if number:
            self._broken.add(number)

    def documents(self) -> Iterator[tuple[str, list[tuple[SourceRow, T]]]]:
        """Number and rows of each. One with a row that nobody can read is set aside as a whole:
        taken without it, it would be short, and could never be completed."""
        for number, rows in self._found.items():
            if number in self._broken:
                self._contents.set_aside += [(source, UNREADABLE) for source, _ in rows]
            else:
                yield number, rows
