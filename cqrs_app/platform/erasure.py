"""What an erasure reaches besides sealed values and the rows of subscriptions.

Destroying a key makes sealed values unreadable at once, and whoever follows SubjectErased blanks or
deletes rows within seconds. PLACES are the rest: what cannot be searched for one person.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

from sqlalchemy import func, select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.engines import empty_journal, reader_of
from cqrs_app.kernel.store.tables import subject_keys
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.transfer.schedules.files import ExportFiles
from cqrs_app.platform.transfer.uploads.receiving import Files

logger = logging.getLogger("countersign")


def _forget_uploads(kernel: Kernel, erased_at: datetime) -> bool:
    Files(kernel.engines.write, kernel.clock).forget_before(erased_at)
    return True


def _forget_exports(kernel: Kernel, erased_at: datetime) -> bool:
    ExportFiles(kernel.engines.write).forget_before(erased_at)
    return True


def _forget_answers(kernel: Kernel, erased_at: datetime) -> bool:
    kernel.cache.forget_all()
    return True


def _empty_journals(kernel: Kernel, erased_at: datetime) -> bool:
    return all([empty_journal(kernel.engines.write), empty_journal(kernel.engines.read)])


PLACES: Mapping[str, Callable[[Kernel, datetime], bool]] = MappingProxyType(
    {
        "files of finished imports, and the rows they set aside": _forget_uploads,
        "files of scheduled exports": _forget_exports,
        "cached answers": _forget_answers,
        "the write-ahead logs of SQLite": _empty_journals,
    }
)
"""Place -> what empties it of persons who were erased by a moment, in this order. Each returns
whether it is done, and is called again otherwise."""


class ForgetErased(BackgroundTask):
    """Empties the places after each erasure. The sweep does it within the hour, and again until the
    read models have followed: what was made of their rows before may hold the person too."""

    name: ClassVar[str] = "erasure"
    sends_commands: ClassVar[bool] = False

    def __init__(self) -> None:
        self._done: dict[str, datetime] = {}
        self._seen: tuple[datetime | None, int] = (None, 0)

    def due(self, kernel: Kernel) -> list[str]:
        return []

    def work(self, kernel: Kernel, key: str) -> bool:
        return False

    def housekeep(self, kernel: Kernel) -> None:
        """Empty the places that hold something from before the last erasure."""
        with reader_of(kernel.engines.write).connect() as connection:
            last = connection.execute(select(func.max(subject_keys.c.erased_at))).scalar()
        if last is None:
            return
        if self._seen[0] != last:
            self._seen = last, kernel.store.head()
        # Where the log ended when the erasure was seen, which was before.
        _, end = self._seen
        have_followed = all(each.position >= end for each in kernel.runner.cursors("read").values())
        moment = kernel.clock() if have_followed else last
        for place, forget in PLACES.items():
            if self._done.get(place) != last and forget(kernel, moment) and have_followed:
                self._done[place] = last
                logger.info("An erasure has emptied %s.", place)
