"""Reads tables with a header: CSV files, whatever their encoding and separator, and workbooks.
Columns may be in any order."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cqrs_app.platform.transfer.imports.formats import DETECTED, Format
from cqrs_app.platform.transfer.imports.source import (
    LIMITS,
    BadFile,
    SourceRow,
    too_many_rows,
    unpacked,
)
from cqrs_app.platform.transfer.imports.text import Lines
from cqrs_app.platform.transfer.imports.workbook import first_rows, is_workbook, sheet_rows

SEPARATORS = (",", ";", "\t", "|")
MAX_REREAD = 16 * 1024**2
"""Characters that are read again because quotation marks are in the wrong place."""
NOT_CSV = (
    "A quotation mark is in the wrong place: within a quoted text, write it twice, and end the "
    "text with one."
)
STRAY_LINE_END = (
    "A line end is in the wrong place: put a text with several lines in quotation marks, and end "
    "each line like the others."
)
_SPACES = re.compile(r"\s+")


@dataclass(slots=True)
class Table:
    """A file whose header was read.

    `header` are its columns as the file names them, `columns` maps the wanted ones that it has to
    their index, `ignored` are the others, `missing` wanted ones that it does not have. `format` has
    its separator or its sheet, and its encoding once all rows were read.
    """

    path: Path
    header: tuple[str, ...]
    columns: Mapping[str, int]
    ignored: tuple[str, ...]
    format: Format
    missing: tuple[str, ...] = ()

    def rows(self) -> Iterator[SourceRow]:
        """The rows below the header. Blank ones are left out; one that cannot be read has a
        `problem`. Raises BadFile."""
        with _records(self.path, self.format) as records:
            next(records)
            number, most = 0, LIMITS.get().rows
            for row in records:
                if row.problem or any(map(str.strip, row.values)):
                    number += 1
                    if number > most:
                        raise too_many_rows(self.path, most)
                    yield self._checked(row)
            if isinstance(records, _Records):
                self.format = replace(self.format, encoding=records.encoding)

    def texts(self, row: SourceRow, *, strip: bool = True) -> dict[str, str]:
        """Wanted column -> its text in the row, as far as it has one."""
        values = [*map(str.strip, row.values)] if strip else row.values
        count = len(values)
        return {name: values[index] for name, index in self.columns.items() if index < count}

    def _checked(self, row: SourceRow) -> SourceRow:
        missing = len(self.header) - len(row.values)
        if row.problem or not missing:
            return row
        if missing > 0 and self.format.sheet:
            return replace(row, values=(*row.values, *[""] * missing))
        problem = f"The row has {len(row.values)} values; the header has {len(self.header)}."
        return replace(row, problem=problem)


def open_table(
    path: Path, wanted: Sequence[str], optional: Sequence[str] = (), given: Format = DETECTED
) -> Table:
    """Read the header of a file. Its columns may be in any order and case, and have others between
    them; those of `optional` may be missing.

    Raises BadFile if the file is missing, empty, binary, of unknown encoding or a workbook of
    another kind, if it has a line longer than LONGEST_LINE, too many rows or too many
    bytes, or if a wanted column is missing or occurs twice.
    """
    table = read_header(path, [*wanted, *optional], given)
    header, columns = table.header, table.columns
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise BadFile(
            f"{path.name} has no column {', no column '.join(missing)}. It starts with "
            f"{', '.join(header)[:300]}. Nothing was imported."
        )
    for name in columns:
        if sum(_key(each) == _key(name) for each in header) > 1:
            raise BadFile(f"{path.name} has the column {name} twice. Nothing was imported.")
    return table


def read_header(path: Path, known: Sequence[str] = (), given: Format = DETECTED) -> Table:
    """The table with the separator, or the sheet, that has most of the known columns; of equal
    ones the first with most columns. Raises BadFile."""
    tried = [
        (form, header, _columns(header, known))
        for form, first in _possible(path, given)
        for header in [_header(path, form, first)]
    ]
    form, header, columns = max(tried, key=lambda each: (len(each[2]), len(each[1])))
    if not header:
        raise BadFile(f"The first line of {path.name} cannot be read. Nothing was imported.")
    used = set(columns.values())
    ignored = tuple(name for index, name in enumerate(header) if index not in used and name)
    missing = tuple(name for name in known if name not in columns)
    return Table(path, header, columns, ignored, form, missing)


def _possible(path: Path, given: Format) -> Iterator[tuple[Format, SourceRow | None]]:
    """The ways in which a file may have to be read, with the first row that each of them finds."""
    if path.is_file() and is_workbook(path):
        form = replace(given, encoding=None, separator=None)
        if given.sheet:
            yield form, _first(path, form)
            return
        for sheet, first in first_rows(path).items():
            yield replace(form, sheet=sheet), first
        return
    for separator in [given.separator] if given.separator else SEPARATORS:
        form = replace(given, sheet=None, separator=separator)
        yield form, _first(path, form)


@contextmanager
def _records(path: Path, form: Format) -> Iterator[Iterator[SourceRow]]:
    if form.sheet is not None:
        with closing(sheet_rows(path, form.sheet)) as rows:
            yield rows
    else:
        with unpacked(path) as file:
            lines = Lines(path, file, form.encoding)
            yield _Records(path, lines, form.separator or ",")


def _first(path: Path, form: Format) -> SourceRow | None:
    with _records(path, form) as records:
        return next(records, None)


def _header(path: Path, form: Format, first: SourceRow | None) -> tuple[str, ...]:
    if first is None and form.sheet is None:
        raise BadFile(f"{path.name} is empty. Nothing was imported.")
    # With another separator than the file's, a quoted name may be followed by anything.
    return () if first is None or first.problem else tuple(map(str.strip, first.values))


def _columns(header: Sequence[str], wanted: Sequence[str]) -> dict[str, int]:
    places = {_key(name): index for index, name in reversed(list(enumerate(header)))}
    return {name: places[_key(name)] for name in wanted if _key(name) in places}


def _key(name: str) -> str:
    return _SPACES.sub(" ", name.strip()).casefold()


class _Records:
    """The records of a CSV file, strictly. Of one that cannot be parsed, only the first line is
    lost: a quotation mark that is never closed would swallow all rows up to the next one."""

    def __init__(self, path: Path, lines: Lines, separator: str) -> None:
        self._path = path
        self._text = lines
        self._lines = iter(lines)
        self._separator = separator
        self._again: deque[str] = deque()
        self._reread = 0
        self._record: list[str] = []
        self._line = 0
        self._width = 0
        self._reader = self._new_reader()

    @property
    def encoding(self) -> str:
        """What was found so far."""
        return self._text.encoding

    def __iter__(self) -> Iterator[SourceRow]:
        return self

    def __next__(self) -> SourceRow:
        self._record.clear()
        try:
            values = next(self._reader)
        except csv.Error:
            return self._broken()
        if len(self._record) > 1 and self._width and len(values) != self._width:
            return self._broken()
        self._width = self._width or len(values)
        self._line += len(self._record)
        return SourceRow(self._path.name, self._line, tuple(values))

    def _broken(self) -> SourceRow:
        first, *rest = self._record
        self._reread += sum(map(len, rest))
        if self._reread > MAX_REREAD:
            raise BadFile(
                f"{self._path.name} is not a CSV file: quotation marks are in the wrong place in "
                f"many lines, for example in line {self._line + 1}. Nothing was imported."
            )
        self._again.extendleft(reversed(rest))
        self._reader = self._new_reader()
        self._line += 1
        # A carriage return within a line stops the reader too, as line ends of a former Mac do.
        values = next(csv.reader([first.replace("\r", " ")], delimiter=self._separator), [])
        problem = NOT_CSV if '"' in first else STRAY_LINE_END
        return SourceRow(self._path.name, self._line, tuple(values), problem)

    def _new_reader(self) -> Iterator[list[str]]:
        return csv.reader(self._recorded(), strict=True, delimiter=self._separator)

    def _recorded(self) -> Iterator[str]:
        while (
            line := self._again.popleft() if self._again else next(self._lines, None)
        ) is not None:
            self._record.append(line)
            yield line
