"""The rows that an import did not take, as a CSV file that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from cqrs_app.platform.transfer.exports.cells import harmless
from cqrs_app.platform.transfer.imports.source import SourceRow

AT_MOST = 16 * 1024**2
"""Bytes that an import keeps in the write store; the rows beyond are only counted."""


def as_csv(
    headers: Mapping[str, Sequence[str]],
    rows: Sequence[tuple[SourceRow, str]],
    most: int | None = None,
) -> bytes:
    """Line, reason and the row as it stands in its file; nothing in it is a formula. `headers` has
    the columns of each file; of several, each has its own head and its rows their file's name.
    After `most` characters a last line says how many rows are left out."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    several, listed = len(headers) > 1, 0
    for file, header in headers.items():
        own = [(row, reason) for row, reason in rows if row.file == file]
        if own or not several:
            writer.writerow((*(("File",) if several else ()), "Line", "Reason", *header))
        for row, reason in own:
            if most is not None and text.tell() >= most:
                break
            values = (harmless(value, numbers=True) for value in row.values)
            writer.writerow((*((file,) if several else ()), row.line, reason, *values))
            listed += 1
    if listed < len(rows):
        writer.writerow((f"{len(rows) - listed} more rows are not listed here.",))
    return text.getvalue().encode()
