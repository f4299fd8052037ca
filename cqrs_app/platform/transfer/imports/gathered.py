"""Groups the rows of a file by document. A document is imported completely or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from cqrs_app.platform.transfer.imports.documents import Contents
from cqrs_app.platform.transfer.imports.source import SourceRow

UNREADABLE = "unreadable"

T = TypeVar("T")


class Gathered(Generic[T]):
    """`T` is a parsed row. Rows of one document need not be adjacent. Their order is kept, and so
    is that of the documents."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._found: dict[str, list[tuple[SourceRow, T]]] = {}
        self._broken: set[str] = set()

    def add(self, number: str, source: SourceRow, understood: T) -> None:
        """Add a row of the document with this number."""
        self._found.setdefault(number, []).append((source, understood))

    def unreadable(self, source: SourceRow, number: str) -> None:
        """Add a row that cannot be read, of the document with this number; blank if that is
        unknown."""
        self._contents.set_aside.append((source, UNREADABLE))
        if number:
            self._broken.add(number)

    def documents(self) -> Iterator[tuple[str, list[tuple[SourceRow, T]]]]:
        """The number and the rows of each document. One with a row that cannot be read is set aside
        as a whole: imported without that row it would be incomplete, and could never be
        completed."""
        for number, rows in self._found.items():
            if number in self._broken:
                self._contents.set_aside += [(source, UNREADABLE) for source, _ in rows]
            else:
                yield number, rows
