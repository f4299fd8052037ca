"""Runs a background task: normally by jobs, in the sweep where jobs are not reliable."""

from __future__ import annotations

import time
from collections.abc import Callable

from cqrs_app.kernel.subscriptions.background import Background
from cqrs_app.kernel.subscriptions.task_threads import TaskThreads
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.kernel.subscriptions.wake_ups import WakeUps

PAUSE_SECONDS = 0.25
"""Between two checks for due work."""

SWEPT_AT_ONCE = 4
"""Minimum number of keys that the sweep works on at a time."""

ENDING_SECONDS = 5.0
"""How long an ending process waits for work that has started."""


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
        self._answering = TaskThreads(task.name, self._take_turn, task.at_once)
        self._sweeping = TaskThreads(task.name, work, max(task.at_once, SWEPT_AT_ONCE))
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
        """Handle a wake-up: do the work, in a thread if the task works on several keys at once."""
        # Before anything is read, so that work which becomes due from now on wakes a worker again.
        self._wake_ups.worked(self.task, key)
        if self.task.at_once > 1:
            self._answering.start(key, wait=True)
        else:
            self._take_turn(key)

    def look_after(self, patience: float) -> None:
        """Take care of work that has been due for `patience` seconds. Does not wait for external
        systems."""
        now = time.monotonic()
        self._due_since = {key: self._due_since.get(key, now) for key in self._due()}
        late = [key for key, since in self._due_since.items() if now - since >= patience]
        if late and not (
            self._has_workers(self.task.worker) and self._wake_ups.due(self.task, late)
        ):
            for key in late:
                self._sweeping.start(key, wait=False)

    def join(self, seconds: float) -> None:
        """Wait for the work started in threads of this process, up to `seconds` for answers and for
        the sweep each."""
        self._answering.join(seconds)
        self._sweeping.join(seconds)

    def close(self) -> None:
        """Finish pending work. Called at the end of a process or a test."""
        self.join(ENDING_SECONDS)
        self._background.close()

    def _take_turn(self, key: str) -> None:
        """Do the work, and queue the key again if more work remains."""
        if self._work(key):
            self._wake_ups.due(self.task, [key])
