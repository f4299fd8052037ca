"""The rows that an import has set aside, as a CSV file that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from cqrs_app.platform.transfer.exports.cells import harmless
from cqrs_app.platform.transfer.imports.documents import SetAside

COLUMNS = ("Line", "Reason", "Column", "Value", "Explanation")

MAX_BYTES = 16 * 1024**2
"""The maximum size, in bytes, that an import keeps in the write store. Further rows are only
counted."""


def as_csv(
    headers: Mapping[str, Sequence[str]],
    rows: Sequence[SetAside],
    most: int | None = None,
) -> bytes:
    """Line, reason, its column, value and sentence, and the original row, without formulas.
    `headers` has the columns of each file. With several files, each has its own header, and its
    rows start with the name of the file. After `most` characters, a last line tells how many rows
    are left out."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    several, listed = len(headers) > 1, 0
    for file, header in headers.items():
        own = [each for each in rows if each.row.file == file]
        if own or not several:
            writer.writerow((*(("File",) if several else ()), *COLUMNS, *header))
        for each in own:
            if most is not None and text.tell() >= most:
                break
            texts = (each.reason, each.column, each.value, each.sentence, *each.row.values)
            values = (harmless(value, numbers=True) for value in texts)
            writer.writerow((*((file,) if several else ()), each.row.line, *values))
            listed += 1
    if listed < len(rows):
        writer.writerow((f"{len(rows) - listed} more rows are not listed here.",))
    return text.getvalue().encode()
