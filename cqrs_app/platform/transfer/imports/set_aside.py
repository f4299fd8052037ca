"""The rows that an import has set aside, and the CSV file of them, which is safe to open in a
spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cqrs_app.platform.transfer.exports.cells import harmless
from cqrs_app.platform.transfer.imports.source import SourceRow
from cqrs_app.platform.transfer.imports.spooled import BUFFERED, cells_of, temporary

COLUMNS = ("Line", "Reason", "Column", "Value", "Explanation")
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that is not imported. `reason` is a code; the sentence explains it, and names no column
    if it is about the whole row."""

    row: SourceRow
    reason: str
    sentence: str = ""
    column: str = ""
    value: str = ""


class SetAsideRows:
    """The rows of a file that are not imported, in the order of the file, on disk. Those without a
    sentence of their own get that of their reason."""

    def __init__(self, found: Iterable[SetAside] = ()) -> None:
        self._database = temporary(
            self, "CREATE TABLE rows (file, line, cells, problem, reason, sentence, name, value);"
        )
        self._sentences: Mapping[str, str] = {}
        self._waiting: list[tuple[Any, ...]] = []
        self.extend(found)

    def append(self, found: SetAside) -> None:
        row = found.row
        cells = msgspec.json.encode(row.values)
        about = (found.reason, found.sentence, found.column, found.value)
        self._waiting.append((row.file, row.line, cells, row.problem, *about))
        if len(self._waiting) >= BUFFERED:
            self._flush()

    def extend(self, found: Iterable[SetAside]) -> None:
        for each in found:
            self.append(each)

    def explain(self, sentences: Mapping[str, str]) -> None:
        """Use these sentences for the reasons."""
        self._sentences = sentences

    def __len__(self) -> int:
        return sum(self.by_reason().values())

    def __iter__(self) -> Iterator[SetAside]:
        return self._read("SELECT * FROM rows ORDER BY file, line, rowid")

    def of_file(self, file: str) -> Iterator[SetAside]:
        return self._read("SELECT * FROM rows WHERE file = ? ORDER BY line, rowid", file)

    def by_reason(self) -> dict[str, int]:
        """How many rows there are for each reason."""
        self._flush()
        found = self._database.execute("SELECT reason, count(*) FROM rows GROUP BY reason")
        return dict(found.fetchall())

    def examples(self, most: int) -> Iterator[SetAside]:
        """The first row for each reason and column."""
        return self._read(
            "SELECT * FROM rows WHERE rowid IN"
            " (SELECT rowid FROM (SELECT rowid, row_number() OVER"
            " (PARTITION BY reason, name ORDER BY file, line, rowid) AS place FROM rows)"
            " WHERE place = 1) ORDER BY file, line, rowid LIMIT ?",
            most,
        )

    def _read(self, statement: str, *values: Any) -> Iterator[SetAside]:
        self._flush()
        for row in self._database.execute(statement, values):
            file, line, cells, problem, reason, sentence, name, value = row
            source = SourceRow(file, line, cells_of(cells), problem)
            yield SetAside(source, reason, sentence or self._sentences.get(reason, ""), name, value)

    def _flush(self) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._waiting
        )
        self._database.execute("COMMIT")
        self._waiting.clear()


def as_csv(headers: Mapping[str, Sequence[str]], rows: SetAsideRows, most: int) -> Iterator[bytes]:
    """Line, reason, its column, value and sentence, and the original row, without formulas, piece
    by piece. `headers` has the columns of each file. With several files, each has its own header,
    and its rows start with the name of the file. After `most` bytes, a last line tells how many
    rows are left out."""
    several, listed, written = len(headers) > 1, 0, 0
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for file, header in headers.items():
        lead = (file,) if several else ()
        begun = False
        for each in rows.of_file(file):
            if not begun:
                writer.writerow((*(("File",) if several else ()), *COLUMNS, *header))
                begun = True
            if written + text.tell() >= most:
                break
            texts = (each.reason, each.column, each.value, each.sentence, *each.row.values)
            values = (harmless(value, numbers=True) for value in texts)
            writer.writerow((*lead, each.row.line, *values))
            listed += 1
            if text.tell() >= _PIECE:
                piece = _taken(text)
                written += len(piece)
                yield piece
        if not begun and not several:
            writer.writerow((*COLUMNS, *header))
    if listed < len(rows):
        writer.writerow((f"{len(rows) - listed} more rows are not listed here.",))
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece
