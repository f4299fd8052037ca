"""Jobs that say which duty has something to do. Losing one does no harm: see dispatcher.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from cqrs_app.kernel.subscriptions.doorbell import FAILURE_TTL, MARK_SECONDS, mark_of, queue_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One kind of work in the world outside, done for many things that are known by name.

    `queue` is its own: what is slow outside must never hold up a projection. `job` is the dotted
    name of the function that answers, `worker` the kind of process that runs it, as it reports
    itself; `what` is one of the things in a word, such as "webhook".
    """

    what: str
    queue: str
    job: str
    worker: str

    def consumer_of(self, name: str) -> str:
        """The name under which a thing's wake-ups are kept to one: see doorbell.answered."""
        return f"{self.what}:{name}"


def ring(redis: Redis, duty: Duty, names: Iterable[str]) -> bool:
    """One job for each of these that has none waiting; whether Redis took them."""
    try:
        queue = queue_on(redis, duty.queue)
        for name in names:
            if redis.set(mark_of(duty.consumer_of(name)), 1, nx=True, ex=MARK_SECONDS):
                queue.enqueue(duty.job, name, result_ttl=0, failure_ttl=FAILURE_TTL)
    except RedisError:
        return False
    return True
