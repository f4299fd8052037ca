"""Wake-ups: RQ jobs that say which subscriptions may be behind, never what changed.

Losing, repeating or delaying one does no harm: the sweep finds subscriptions that are behind. So
announcing a change never waits for Redis and never raises.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.queue import EnqueueData
from rq.serializers import JSONSerializer

from cqrs_app.kernel.subscriptions.background import Background, logger
from cqrs_app.kernel.subscriptions.tasks import WORKER, BackgroundTask
from cqrs_app.kernel.tracing.tracer import Bookmark, Tracer

MARK_SECONDS = 5
"""How long a lost wake-up can suppress the next ones."""
REST_SECONDS = 1.0
"""How long Redis is not contacted after it did not answer."""

PAUSE_SECONDS = 0.02
"""The minimum time between two rounds of wake-ups. The first round starts at once. Under load,
commits share a round, and waking takes no time from those who commit."""
BUSY_PAUSE_SECONDS = 0.08
"""The same after a round in which every subscriber was already woken, or which covered at least
BUSY_COMMITS: more commits then share a round."""
BUSY_COMMITS = 3

FAILURE_TTL = 3600


@dataclass(frozen=True, slots=True)
class Jobs:
    """The names of jobs. `prefix` begins the keys and queues in Redis and is part of derived keys,
    so it must never change. `module` is the dotted name of the module with the functions `advance`,
    `run_command` and `work`."""

    prefix: str
    module: str

    def queue_of(self, worker: str) -> str:
        """The queue of one kind of worker. Each kind has its own: a worker of several queues can
        lose a job when it is killed."""
        return self.prefix if worker == WORKER else f"{self.prefix}-{worker.replace(' ', '-')}"

    def mark_of(self, consumer: str) -> str:
        """The key that is set while a wake-up for this consumer is pending."""
        return f"{self.prefix}:waking:{consumer}"

    def prepared(self, function: str, *arguments: str) -> EnqueueData:
        name = f"{self.module}.{function}"
        return Queue.prepare_data(name, arguments, result_ttl=0, failure_ttl=FAILURE_TTL)


class WakeUps:
    """At most one wake-up per subscription, and per key of a task, is pending at any time.

    A background thread sends them. All subscriptions that one round wakes share one job, since
    queueing a job costs about as much as its work. Afterwards events get their positions (`place`),
    so that the woken worker finds that done.
    """

    def __init__(
        self,
        redis: Redis,
        jobs: Jobs,
        subscribers_of: Callable[[Iterable[str]], Iterable[str]],
        place: Callable[[], int],
        tracer: Tracer | None = None,
    ) -> None:
        self._redis = redis
        self._jobs = jobs
        self._subscribers_of = subscribers_of
        self._place = place
        self._lock = threading.Lock()
        self._types: set[str] = set()
        self._commits = 0
        self._tracer = tracer or Tracer()
        self._traced: list[tuple[Bookmark, int]] = []
        self._commands: list[str] = []
        self._rest_until = 0.0
        self._away = False
        self._background = Background("wake-ups", self._announce, PAUSE_SECONDS)
        self.missed = 0

    def committed(self, event_types: Iterable[str]) -> None:
        """Announce committed events of these types; returns at once."""
        bookmark = self._tracer.bookmark()
        with self._lock:
            self._types.update(event_types)
            self._commits += 1
            if bookmark:
                self._traced.append((bookmark, time.time_ns()))
        self._background.nudge()

    def command_queued(self, command_id: str) -> None:
        """Announce a queued command; returns at once."""
        with self._lock:
            self._commands.append(command_id)
        self._background.nudge()

    def advanced(self, subscription: str) -> None:
        """Its wake-up is being handled: a later commit may wake it again."""
        self._unmark(subscription)

    def due(self, task: BackgroundTask, keys: Iterable[str]) -> bool:
        """Queue a job for each of these keys that has none pending; returns whether Redis accepted
        them."""
        try:
            by_consumer = {_consumer(task, key): key for key in keys}
            jobs = [("work", task.name, by_consumer[each]) for each in self._unmarked(by_consumer)]
            if jobs:
                queue = self.queue(task.worker)
                queue.enqueue_many([self._jobs.prepared(*job) for job in jobs])
        except RedisError:
            return False
        return True

    def worked(self, task: BackgroundTask, key: str) -> None:
        """Its wake-up is being handled: work that is due later may wake it again."""
        self._unmark(_consumer(task, key))

    def queue(self, worker: str = WORKER) -> Queue:
        """The queue of this kind of worker."""
        name = self._jobs.queue_of(worker)
        return Queue(name, connection=self._redis, serializer=JSONSerializer)

    def close(self) -> None:
        """Announce what is pending. Called at the end of a process or a test."""
        self._background.close()

    def flush(self) -> None:
        """Announce now, in the caller's thread."""
        self._background.run_now()

    def _announce(self) -> None:
        with self._lock:
            types, self._types = self._types, set()
            commits, self._commits = self._commits, 0
            commands, self._commands = self._commands, []
            traced, self._traced = self._traced, []
        subscribers = list(self._subscribers_of(types)) if types else []
        if not subscribers and not commands:
            return
        if time.monotonic() < self._rest_until:
            self.missed += len(subscribers) + len(commands)
            return
        try:
            woken = self._unmarked(subscribers)
            jobs = [("advance", *woken)] if woken else []
            jobs += [("run_command", command_id) for command_id in commands]
            if jobs:
                self.queue().enqueue_many([self._jobs.prepared(*job) for job in jobs])
            busy = commits >= BUSY_COMMITS or (subscribers and not woken)
            self._background.pause = BUSY_PAUSE_SECONDS if busy else PAUSE_SECONDS
            if woken:
                self._place()
            for bookmark, since in traced:
                self._tracer.later(bookmark, "wake up workers", "producer", since)
            self._answered()
        except RedisError as error:
            self._rest_until = time.monotonic() + REST_SECONDS
            self.missed += len(subscribers) + len(commands)
            self._did_not_answer(error)

    def _unmark(self, consumer: str) -> None:
        # Without Redis the mark runs out, and the work itself needs none.
        try:
            self._redis.delete(self._jobs.mark_of(consumer))
        except RedisError as error:
            self._did_not_answer(error)

    def _did_not_answer(self, error: RedisError) -> None:
        """Say so once, not for every wake-up until Redis takes one again."""
        if not self._away:
            self._away = True
            logger.warning("Redis takes no wake-ups (%s); the sweep does the work meanwhile", error)

    def _answered(self) -> None:
        if self._away:
            self._away = False
            logger.warning("Redis takes wake-ups again; missed so far: %d", self.missed)

    def _unmarked(self, consumers: Collection[str]) -> list[str]:
        """The consumers without a pending wake-up. They are marked as having one from now on."""
        pipeline = self._redis.pipeline(transaction=False)
        for consumer in consumers:
            pipeline.set(self._jobs.mark_of(consumer), 1, nx=True, ex=MARK_SECONDS)
        fresh = zip(consumers, pipeline.execute(), strict=True)
        return [consumer for consumer, is_fresh in fresh if is_fresh]


def _consumer(task: BackgroundTask, key: str) -> str:
    return f"{task.name}:{key}"
