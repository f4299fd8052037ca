"""The rows of one document. It is imported completely or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from cqrs_app.kernel.errors import Invalid
from cqrs_app.platform.transfer.imports.documents import Contents
from cqrs_app.platform.transfer.imports.set_aside import SetAside
from cqrs_app.platform.transfer.imports.source import SourceRow
from cqrs_app.platform.transfer.imports.spooled import SpooledRows

UNREADABLE = "unreadable"
CONTRADICTORY = "contradictory"
MOST_ROWS = 20_000
"""Of one document, which is held in memory."""

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


def documents_of(
    rows: SpooledRows, contents: Contents
) -> Iterator[tuple[str, list[tuple[SourceRow, str]]]]:
    """The number and the rows of each document, with the hint that was added with each row. One
    with too many rows is set aside."""
    for number, size, found in rows.documents():
        contents.passed += 1
        if size <= MOST_ROWS:
            yield number, list(found)
        else:
            sentence = f"The document {number} has more than {MOST_ROWS:,} rows."
            fault = Unreadable(sentence, contents.column_of("number"), number)
            contents.set_aside.extend(fault.of(row) for row, _ in found)


def parsed_rows(
    rows: Iterable[tuple[SourceRow, str]],
    parse: Callable[[SourceRow, str], T | None],
    contents: Contents,
) -> list[tuple[SourceRow, T]]:
    """The rows of a document, parsed, without those of which `parse` returns None. None of them if
    one cannot be read: imported without it the document would be incomplete, and could never be
    completed."""
    found: list[tuple[SourceRow, T]] = []
    broken: SourceRow | None = None
    for row, hint in rows:
        try:
            understood = parse(row, hint)
        except Unreadable as fault:
            contents.set_aside.append(fault.of(row))
            broken = broken or row
        else:
            if understood is not None:
                found.append((row, understood))
    if broken is None:
        return found
    contents.set_aside.extend(incomplete([row for row, _ in found], broken))
    return []


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


def unreadable(
    rows: Sequence[SourceRow], fault: Unreadable, contents: Contents
) -> Iterator[SetAside]:
    """The rows of a document of which one has this value in this column; all of them for the same
    reason, if it is about no column."""
    broken = [row for row in rows if contents.text_of(row, fault.column) == fault.value][:1]
    if fault.column and broken:
        yield fault.of(broken[0])
        yield from incomplete([row for row in rows if row not in broken], broken[0])
    else:
        yield from (fault.of(row) for row in rows)


def refused(rows: Sequence[SourceRow], invalid: Invalid, contents: Contents) -> list[SetAside]:
    """The rows of a document with values that no command takes."""
    path, sentence = next(iter(invalid.problems.items()))
    parts = path.split(".")
    index = int(parts[1]) if len(parts) > 1 and parts[1].isdecimal() else 0
    broken = rows[min(index, len(rows) - 1)]
    column = contents.column_of(path)
    others = [row for row in rows if row is not broken]
    fault = Unreadable(sentence, column, contents.text_of(broken, column))
    return [fault.of(broken), *incomplete(others, broken)]
