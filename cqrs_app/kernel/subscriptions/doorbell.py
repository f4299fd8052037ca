"""Wake-ups: RQ jobs that say who may be behind, never what changed.

Losing, doubling or delaying one does no harm: the sweep finds whoever is behind. So nothing here
waits for Redis on behalf of an operator, and nothing here raises.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.queue import EnqueueData
from rq.serializers import JSONSerializer

from cqrs_app.kernel.subscriptions.background import Background, logger

QUEUE = "countersign"
MARK_SECONDS = 5
"""How long a wake-up that got lost on its way can hold back the next ones."""
REST_SECONDS = 1.0
"""How long Redis is left alone after it did not answer."""

PAUSE_SECONDS = 0.02
"""How far apart two rings are at least. The first comes at once; under load, where one is always
waiting, commits share one, and ringing does not take the time of those who commit."""
BUSY_PAUSE_SECONDS = 0.05
"""The same after a ring that found everybody woken already: they are at work, and behind."""

FAILURE_TTL = 3600


def queue_on(redis: Redis, name: str = QUEUE) -> Queue:
    """The queue of projections and commands, or one of that name. Each has workers of its own: a
    worker of several queues can lose a job when killed."""
    return Queue(name, connection=redis, serializer=JSONSerializer)


def mark_of(consumer: str) -> str:
    return f"countersign:waking:{consumer}"


class Doorbell:
    """Rings from a thread of its own. At most one wake-up per consumer waits at any time.

    All that one ring wakes is one job: on its way through RQ a job costs about as much as what it
    then does. Once somebody was woken, it has positions dealt (`place`): who wakes up then finds
    it done.
    """

    def __init__(
        self,
        redis: Redis,
        consumers_of: Callable[[Iterable[str]], Iterable[str]],
        place: Callable[[], int],
    ) -> None:
        self._redis = redis
        self._queue = queue_on(redis)
        self._consumers_of = consumers_of
        self._place = place
        self._lock = threading.Lock()
        self._types: set[str] = set()
        self._jobs: list[tuple[str, str]] = []
        self._rest_until = 0.0
        self._background = Background("doorbell", self._ring, PAUSE_SECONDS)
        self.missed = 0

    def ring(self, event_types: Iterable[str]) -> None:
        """Events of these types were committed."""
        with self._lock:
            self._types.update(event_types)
        self._background.nudge()

    def ring_for_command(self, command_id: str) -> None:
        """A command was queued."""
        self.ring_for("run_command", command_id)

    def ring_for(self, job: str, name: str) -> None:
        """Something waits that this job of cqrs_app.jobs does, when told its name."""
        with self._lock:
            self._jobs.append((job, name))
        self._background.nudge()

    def close(self) -> None:
        """Do what still waits; called when the process, or a test, is done."""
        self._background.close()

    def flush(self) -> None:
        """Ring now, in this thread."""
        self._background.run_now()

    def _ring(self) -> None:
        with self._lock:
            types, self._types = self._types, set()
            jobs, self._jobs = self._jobs, []
        consumers = list(self._consumers_of(types)) if types else []
        if not consumers and not jobs:
            return
        if time.monotonic() < self._rest_until:
            self.missed += len(consumers) + len(jobs)
            return
        try:
            woken = self._enqueue(consumers, jobs)
            busy = consumers and not woken
            self._background.pause = BUSY_PAUSE_SECONDS if busy else PAUSE_SECONDS
            if woken:
                self._place()
        except RedisError as error:
            self._rest_until = time.monotonic() + REST_SECONDS
            self.missed += len(consumers) + len(jobs)
            logger.warning("Redis did not take a wake-up (%s); the sweep does the work", error)

    def _enqueue(self, consumers: list[str], jobs: list[tuple[str, str]]) -> bool:
        """Whether some consumer was woken that was not being woken already."""
        pipeline = self._redis.pipeline(transaction=False)
        for consumer in consumers:
            pipeline.set(mark_of(consumer), 1, nx=True, ex=MARK_SECONDS)
        fresh = zip(consumers, pipeline.execute(), strict=True)
        woken = [consumer for consumer, is_fresh in fresh if is_fresh]
        wanted = [("advance", *woken)] if woken else []
        if wanted or jobs:
            self._queue.enqueue_many([_prepared(*each) for each in wanted + jobs])
        return bool(woken)


def _prepared(job: str, *names: str) -> EnqueueData:
    return Queue.prepare_data(
        f"cqrs_app.processes.jobs.{job}", names, result_ttl=0, failure_ttl=FAILURE_TTL
    )


def answered(redis: Redis, consumer: str) -> None:
    """The wake-up is being answered: a later commit may ring again."""
    redis.delete(mark_of(consumer))
