"""The RQ worker: no fork per job, a sign of life in the database, a client that waits for Redis."""

from __future__ import annotations

import time
from typing import Any

from redis import Redis, exceptions
from redis.backoff import ExponentialBackoff
from redis.client import Pipeline
from redis.retry import Retry
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from cqrs_app.jobs import AllowedJob
from cqrs_app.kernel.doorbell import QUEUE
from cqrs_app.kernel.presence import BEAT_SECONDS, Presence

WORKER_TTL = 20
"""Seconds; RQ waits at most this less fifteen for a job, so a sign of life comes every five."""


class Worker(SimpleWorker):
    """SimpleWorker starts a job in 2 ms, a forking one in 10; a supervisor restarts it when it
    dies."""

    presence: Presence
    kind: str
    _beaten = float("-inf")

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ beats several times for each job; once in a while will do."""
        if timeout or time.monotonic() - self._beaten > BEAT_SECONDS:
            self._beaten = time.monotonic()
            super().heartbeat(timeout, pipeline)
        self.presence.beat(self.kind)

    def execute_job(self, *arguments: Any, **options: Any) -> None:
        super().execute_job(*arguments, **options)
        self.presence.beat(self.kind)


def run_worker(
    url: str, max_jobs: int, presence: Presence, *, queue: str = QUEUE, kind: str = "worker"
) -> None:
    """Work until told to stop, or for `max_jobs` jobs. Redis may come and go meanwhile.

    `kind` is what the process calls itself among the living ones."""
    retry = Retry(ExponentialBackoff(cap=2, base=0.1), 1_000_000)
    redis = Redis.from_url(
        url, retry=retry, retry_on_error=[exceptions.ConnectionError, exceptions.TimeoutError]
    )
    worker = Worker(
        [queue],
        connection=redis,
        job_class=AllowedJob,
        serializer=JSONSerializer,
        default_worker_ttl=WORKER_TTL,
        maintenance_interval=60,
        log_job_description=False,
    )
    worker.presence, worker.kind = presence, kind
    presence.beat(kind)
    try:
        worker.work(logging_level="WARNING", max_jobs=max_jobs)
    finally:
        presence.leave(kind)
