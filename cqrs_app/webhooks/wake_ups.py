"""Jobs that say which webhook has something to do. Losing one does no harm: see dispatcher.py."""

from __future__ import annotations

from collections.abc import Iterable

from redis import Redis
from redis.exceptions import RedisError

from cqrs_app.kernel.doorbell import FAILURE_TTL, MARK_SECONDS, mark_of, queue_on

QUEUE = "countersign-webhooks"
"""A queue of its own: a slow receiver must never hold up a projection."""


def consumer_of(webhook_id: str) -> str:
    """The name under which a webhook's wake-ups are kept to one: see doorbell.answered."""
    return f"webhook:{webhook_id}"


def ring(redis: Redis, webhook_ids: Iterable[str]) -> bool:
    """One job for each of these that has none waiting; whether Redis took them."""
    try:
        queue = queue_on(redis, QUEUE)
        for webhook_id in webhook_ids:
            if redis.set(mark_of(consumer_of(webhook_id)), 1, nx=True, ex=MARK_SECONDS):
                queue.enqueue(
                    "cqrs_app.jobs.deliver", webhook_id, result_ttl=0, failure_ttl=FAILURE_TTL
                )
    except RedisError:
        return False
    return True
