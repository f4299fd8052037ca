"""Uploaded files of history, kept in the write store until a background process has imported them.

Files and progress are rows, not events: a log is no place for bytes, and progress is not worth an
event. That somebody started an import is an event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.transfer.uploads import events, queries
from cqrs_app.platform.transfer.uploads.commands import StartImport
from cqrs_app.platform.transfer.uploads.history_import import HistoryImport, only_what_was_uploaded


def uploads_area(
    is_there: Callable[[StartImport], bool], tasks: Sequence[BackgroundTask] = ()
) -> Area:
    """The area; `is_there` returns whether the file named by a command was received."""
    return Area(
        name="uploads",
        aggregates=[HistoryImport],
        events=events,
        upcasters=events.UPCASTERS,
        tasks=tasks,
        answers={
            queries.ListImports: projected(queries.list_imports),
            queries.GetImport: projected(queries.get_import, by_reader=True),
        },
        middleware=[only_what_was_uploaded(is_there)],
    )
