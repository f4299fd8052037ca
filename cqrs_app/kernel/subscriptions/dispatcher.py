"""Gets a background task done: normally by jobs, in threads where jobs are not reliable."""

from __future__ import annotations

import time
from collections.abc import Callable

from cqrs_app.kernel.subscriptions.background import Background
from cqrs_app.kernel.subscriptions.fallback_threads import FallbackThreads
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.kernel.subscriptions.wake_ups import WakeUps

PAUSE_SECONDS = 0.25
"""Between two checks for due work."""


class Dispatcher:
    """One per task and kernel. Opens no connection until it is used.

    `due` and `work` are those of the task; `has_workers` returns whether a process of a kind is
    alive.
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
        """Check for due work soon; returns at once."""
        self._background.nudge()

    def wake(self) -> None:
        """Wake a worker for each due key. If Redis does not accept a wake-up, `look_after` does the
        work later."""
        self._wake_ups.due(self.task, self._due())

    def answer(self, key: str) -> None:
        """Handle a wake-up: do the work, and queue the key again if more work remains."""
        # Before anything is read, so that work which becomes due from now on wakes a worker again.
        self._wake_ups.worked(self.task, key)
        if self._work(key):
            self._wake_ups.due(self.task, [key])

    def look_after(self, patience: float) -> None:
        """Take care of work that has been due for `patience` seconds. Does not wait for external
        systems."""
        now = time.monotonic()
        self._due_since = {key: self._due_since.get(key, now) for key in self._due()}
        late = [key for key, since in self._due_since.items() if now - since >= patience]
        if late and not (
            self._has_workers(self.task.worker) and self._wake_ups.due(self.task, late)
        ):
            self._fallback.start(late)

    def wait(self, seconds: float) -> None:
        """Wait for work that `look_after` has started in this process, up to `seconds` per
        thread."""
        self._fallback.wait(seconds)

    def close(self) -> None:
        """Finish pending work. Called at the end of a process or a test."""
        self._background.close()
