"""The rows that an import has set aside, as a CSV file that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from cqrs_app.platform.transfer.exports.cells import harmless
from cqrs_app.platform.transfer.imports.source import SourceRow

MAX_BYTES = 16 * 1024**2
"""The maximum size, in bytes, that an import keeps in the write store. Further rows are only
counted."""


def as_csv(
    headers: Mapping[str, Sequence[str]],
    rows: Sequence[tuple[SourceRow, str]],
    most: int | None = None,
) -> bytes:
    """Line, reason and the original row, without formulas. `headers` has the columns of each file.
    With several files, each has its own header, and its rows start with the name of the file. After
    `most` characters, a last line tells how many rows are left out."""
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
