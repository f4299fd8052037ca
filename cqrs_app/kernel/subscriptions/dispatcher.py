"""Gets a background task done: by jobs as a rule, by the sweep where jobs cannot be relied on."""

from __future__ import annotations

import time
from collections.abc import Callable

from cqrs_app.kernel.subscriptions.background import Background
from cqrs_app.kernel.subscriptions.task_threads import TaskThreads
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.kernel.subscriptions.wake_ups import WakeUps

PAUSE_SECONDS = 0.25
"""Between two looks at what is due."""

SWEPT_AT_ONCE = 4
"""Keys that the sweep works on at a time, at least."""

ENDING_SECONDS = 5.0
"""How long a process that ends lets work go on that has begun."""


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
        self._answering = TaskThreads(task.name, self._take_turn, task.at_once)
        self._sweeping = TaskThreads(task.name, work, max(task.at_once, SWEPT_AT_ONCE))
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
        """Answer a wake-up: do the work, in a thread where the task does several keys at once."""
        # Before anything is read: what is due from now on wakes again.
        self._wake_ups.worked(self.task, key)
        if self.task.at_once > 1:
            self._answering.start(key, wait=True)
        else:
            self._take_turn(key)

    def look_after(self, patience: float) -> None:
        """See to what has been due for `patience` seconds; waits for nobody outside."""
        now = time.monotonic()
        self._due_since = {key: self._due_since.get(key, now) for key in self._due()}
        late = [key for key, since in self._due_since.items() if now - since >= patience]
        if late and not (
            self._has_workers(self.task.worker) and self._wake_ups.due(self.task, late)
        ):
            for key in late:
                self._sweeping.start(key, wait=False)

    def join(self, seconds: float) -> None:
        """Wait until work begun in threads of this process is done, so long each at most."""
        self._answering.join(seconds)
        self._sweeping.join(seconds)

    def close(self) -> None:
        """Do what still waits; called when the process, or a test, is done."""
        self._background.close()
        self._answering.join(ENDING_SECONDS)

    def _take_turn(self, key: str) -> None:
        """Do the work, and queue up again where there is more than fits one turn."""
        if self._work(key):
            self._wake_ups.due(self.task, [key])
