"""Brings a duty about: through jobs as a rule, from threads where jobs cannot be relied on."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import Redis

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.doorbell import answered
from cqrs_app.kernel.subscriptions.presence import seen
from cqrs_app.kernel.subscriptions.standby import Standby
from cqrs_app.kernel.subscriptions.wake_ups import Duty, ring


class Dispatcher:
    """One per duty and application; opens no connection until it is asked to do something.

    `due` names what has something to do now and nobody sees to; `work` does it for one name, for
    some seconds at most, and says whether there is more to do at once. It must be safe to call
    from anywhere at any time.
    """

    def __init__(
        self,
        kernel: Kernel,
        duty: Duty,
        *,
        due: Callable[[], list[str]],
        work: Callable[[str], bool],
    ) -> None:
        self._kernel = kernel
        self._duty = duty
        self._due = due
        self._work = work
        self._standby = Standby(duty.what, work)
        self._due_since: dict[str, float] = {}

    def wake(self) -> None:
        """Wake a worker for each name with something to do. A wake-up that Redis does not take
        is made up for by `look_after`."""
        ring(self._redis, self._duty, self._due())

    def answer(self, name: str) -> None:
        """Answer a wake-up: do the work, and queue up again where there is more than fits one
        turn."""
        # Cleared before anything is read: a commit from now on rings again.
        answered(self._redis, self._duty.consumer_of(name))
        if self._work(name):
            ring(self._redis, self._duty, [name])

    def look_after(self, patience: float) -> None:
        """See to what has been due for `patience` seconds; waits for nobody outside."""
        now = time.monotonic()
        self._due_since = {name: self._due_since.get(name, now) for name in self._due()}
        late = [name for name, since in self._due_since.items() if now - since >= patience]
        if late and not (self._has_workers() and ring(self._redis, self._duty, late)):
            self._standby.start(late)

    def wait(self, seconds: float) -> None:
        """Until work begun by `look_after` in this process is done, or so long each."""
        self._standby.wait(seconds)

    @property
    def _redis(self) -> Redis:
        return self._kernel.redis

    def _has_workers(self) -> bool:
        with reader_of(self._kernel.engines.write).connect() as connection:
            living = seen(connection, self._kernel.clock())
        return any(each.alive and each.kind == self._duty.worker for each in living)
