"""Uploaded files of history: kept in the write store until a background process has taken them in.

The file and what became of it are rows of their own, not events: bytes have no place in a log, and
progress is not worth one. That somebody started an import is an event, like any other task.
"""

from __future__ import annotations

from collections.abc import Callable

from cqrs_app.kernel.registry import Area
from cqrs_app.platform.transfer.uploads import queries
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.transfer.uploads.events import ImportStarted
from cqrs_app.platform.transfer.uploads.history_import import HistoryImport, only_what_was_uploaded


def uploads_area(is_there: Callable[[StartImport], bool]) -> Area:
    """The area; `is_there` says whether the file that a task names was received."""
    return Area(
        name="uploads",
        handles={HistoryImport: {StartImport: HistoryImport.start}},
        refusals={
            StartImport: {
                "no_such_upload": "No file was received under this id.",
                "already_started": "It was started already.",
                "being_received": "The same file is being received at this moment.",
                "too_large": "The file is larger than the console takes.",
            }
        },
        events=[ImportStarted],
        answers={
            queries.ListImports: queries.list_imports,
            queries.GetImport: queries.get_import,
        },
        middleware=[only_what_was_uploaded(is_there)],
    )
