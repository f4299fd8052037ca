"""The rows that an import did not take, as a CSV file that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from cqrs_app.exports.cells import harmless
from cqrs_app.imports.source import SourceRow


def as_csv(header: Sequence[str], rows: Iterable[tuple[SourceRow, str]]) -> bytes:
    """Line, reason and the row as it stands in the file; nothing in it is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("Line", "Reason", *header))
    for row, reason in rows:
        values = (harmless(value, numbers=True) for value in row.values)
        writer.writerow((row.line, reason, *values))
    return text.getvalue().encode()
