"""Groups the rows of a file by document. A document is imported completely or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from cqrs_app.kernel.errors import Invalid
from cqrs_app.platform.transfer.imports.documents import Contents, SetAside
from cqrs_app.platform.transfer.imports.source import SourceRow

UNREADABLE = "unreadable"
CONTRADICTORY = "contradictory"

T = TypeVar("T")


class Unreadable(Exception):
    """A row, or one of its values, cannot be read. `column` is empty if it is about the whole
    row."""

    def __init__(self, sentence: str, column: str = "", value: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.column = column
        self.value = value

    def of(self, row: SourceRow) -> SetAside:
        """The row, set aside."""
        return SetAside(row, UNREADABLE, self.sentence, self.column, self.value)


def parsed(text: str, parse: Callable[[str], T], column: str) -> T:
    """Raises Unreadable, with the sentence of the ValueError that `parse` raises."""
    if not text:
        raise Unreadable("The value is missing.", column)
    try:
        return parse(text)
    except ValueError as error:
        raise Unreadable(str(error), column, text) from None


class Gathered(Generic[T]):
    """`T` is a parsed row. Rows of one document need not be adjacent. Their order is kept, and so
    is that of the documents."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._found: dict[str, list[tuple[SourceRow, T]]] = {}
        self._broken: dict[str, SourceRow] = {}

    def add(self, number: str, source: SourceRow, understood: T) -> None:
        """Add a row of the document with this number."""
        self._found.setdefault(number, []).append((source, understood))

    def unreadable(self, source: SourceRow, number: str, fault: Unreadable) -> None:
        """Add a row that cannot be read, of the document with this number; blank if that is
        unknown."""
        self._contents.set_aside.append(fault.of(source))
        if number:
            self._broken.setdefault(number, source)

    def cut(self, number: str) -> None:
        """The rows end here, within this document, which is left out if it is not the only one."""
        if len(self._found) > 1:
            self._found.pop(number, None)

    def documents(self) -> Iterator[tuple[str, list[tuple[SourceRow, T]]]]:
        """The number and the rows of each document. One with a row that cannot be read is set aside
        as a whole: imported without that row it would be incomplete, and could never be
        completed."""
        for number, rows in self._found.items():
            if number in self._broken:
                sources = [source for source, _ in rows]
                self._contents.set_aside += incomplete(sources, self._broken[number])
            else:
                yield number, rows


def contradicting(
    number: str, column: str, found: Sequence[tuple[SourceRow, str]]
) -> SetAside | None:
    """What two rows of one document say differently of it in this column, if they do."""
    first: dict[str, SourceRow] = {}
    for row, text in found:
        if text:
            first.setdefault(text, row)
    if len(first) < 2:
        return None
    (one, row), (other, later), *_ = first.items()
    sentence = f"Lines {row.line} and {later.line} differ for {number}: {one} and {other}."
    return SetAside(row, CONTRADICTORY, sentence, column, f"{one}, {other}")


def incomplete(rows: Sequence[SourceRow], broken: SourceRow) -> Iterator[SetAside]:
    """The other rows of a document of which one cannot be read."""
    for row in rows:
        where = "" if row.file == broken.file else f" of {broken.file}"
        yield SetAside(
            row,
            UNREADABLE,
            f"Line {broken.line}{where} belongs to the same document and cannot be read. A "
            "document is imported as a whole or not at all.",
        )


def refused(
    rows: Sequence[SourceRow], invalid: Invalid, columns: Mapping[str, str]
) -> list[SetAside]:
    """The rows of a document with values that no command takes. `columns` maps fields of the
    command, and of one of its lines, to the columns they are read from."""
    path, sentence = next(iter(invalid.problems.items()))
    parts = path.split(".")
    index = int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else 0
    broken = rows[min(index, len(rows) - 1)]
    name = columns.get(parts[-1], parts[-1])
    others = [row for row in rows if row is not broken]
    return [Unreadable(sentence, name).of(broken), *incomplete(others, broken)]
