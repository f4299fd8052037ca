"""Gets a background task done: by jobs as a rule, in threads where jobs cannot be relied on."""

from __future__ import annotations

import time
from collections.abc import Callable

from cqrs_app.kernel.subscriptions.background import Background
from cqrs_app.kernel.subscriptions.fallback_threads import FallbackThreads
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.kernel.subscriptions.wake_ups import WakeUps

PAUSE_SECONDS = 0.25
"""Between two looks at what is due."""


class Dispatcher:
    """One per task and kernel; opens no connection until it is asked to do something.

    `due` and `work` are the task's own; `has_workers` says whether a process of a kind is alive.
    """

    def __init__(
        self,
        task: BackgroundTask,
        wake_ups: WakeUps,
        *,
        due: Callable[[], list[str]],
        work: Callable[[str], bool],
        has_workers: Callable[[str], bool],
    ) -> None:
        self.task = task
        self._wake_ups = wake_ups
        self._due = due
        self._work = work
        self._has_workers = has_workers
        self._fallback = FallbackThreads(task.name, work)
        self._due_since: dict[str, float] = {}
        self._background = Background(task.name, self.wake, PAUSE_SECONDS)

    def nudge(self) -> None:
        """Something may be due: look soon, and return at once."""
        self._background.nudge()

    def wake(self) -> None:
        """Wake a worker for each key with something to do. A wake-up that Redis does not take is
        made up for by `look_after`."""
        self._wake_ups.due(self.task, self._due())

    def answer(self, key: str) -> None:
        """Answer a wake-up: do the work, and queue up again where there is more than fits one
        turn."""
        # Before anything is read: what is due from now on wakes again.
        self._wake_ups.worked(self.task, key)
        if self._work(key):
            self._wake_ups.due(self.task, [key])

    def look_after(self, patience: float) -> None:
        """See to what has been due for `patience` seconds; waits for nobody outside."""
        now = time.monotonic()
        self._due_since = {key: self._due_since.get(key, now) for key in self._due()}
        late = [key for key, since in self._due_since.items() if now - since >= patience]
        if late and not (
            self._has_workers(self.task.worker) and self._wake_ups.due(self.task, late)
        ):
            self._fallback.start(late)

    def wait(self, seconds: float) -> None:
        """Until work begun by `look_after` in this process is done, or so long each."""
        self._fallback.wait(seconds)

    def close(self) -> None:
        """Do what still waits; called when the process, or a test, is done."""
        self._background.close()
