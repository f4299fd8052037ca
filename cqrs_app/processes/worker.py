"""The RQ worker: no fork per job, a sign of life in the database, a client that waits for Redis."""

from __future__ import annotations

import time
import traceback

from redis import exceptions
from redis.backoff import ExponentialBackoff
from redis.client import Pipeline
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import WorkerStatus

from cqrs_app.addresses import redis_client
from cqrs_app.kernel.subscriptions.presence import BEAT_SECONDS, Presence
from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.processes.jobs import AllowedJob

WORKER_TTL = 20
"""Seconds; RQ waits at most this less fifteen for a job, so a sign of life comes every five."""


class Worker(SimpleWorker):
    """SimpleWorker starts a job in 2 ms, a forking one in 10; a supervisor restarts it when it
    dies."""

    presence: Presence
    kind: str
    _beaten = float("-inf")

    def procline(self, message: str) -> None:
        """`ps` shows the kind of worker; RQ would show the name of its queue instead."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ beats several times for each job; once in a while will do."""
        if timeout or time.monotonic() - self._beaten > BEAT_SECONDS:
            self._beaten = time.monotonic()
            super().heartbeat(timeout, pipeline)
        self.presence.beat(self.kind)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Take the job away, do it, and keep a record of it only where it failed.

        RQ would say in some ten round trips that it is being done, and by whom. Our jobs are
        hints: one that is lost with its worker is made up for by the sweep.
        """
        with self.connection.pipeline() as pipeline:
            self.set_state(WorkerStatus.BUSY, pipeline=pipeline)
            self.heartbeat(self.get_heartbeat_ttl(job), pipeline=pipeline)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.delete(job.key)
            pipeline.execute()
        seconds = job.timeout or queue.DEFAULT_TIMEOUT
        try:
            with self.death_penalty_class(seconds, JobTimeoutException, job_id=job.id):
                job.perform()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is kept in the record
            job.save()
            self.handle_exception(job, type(error), error, error.__traceback__)
            self.handle_job_failure(job, queue, exc_string=traceback.format_exc())
        self.set_state(WorkerStatus.IDLE)
        self.presence.beat(self.kind)


def run_worker(
    url: str, max_jobs: int, presence: Presence, *, queue: str, kind: str = WORKER
) -> None:
    """Work until told to stop, or for `max_jobs` jobs. Redis may come and go meanwhile.

    `kind` is what the process calls itself among the living ones."""
    retry = Retry(ExponentialBackoff(cap=2, base=0.1), 1_000_000)
    redis = redis_client(
        url, retry=retry, retry_on_error=[exceptions.ConnectionError, exceptions.TimeoutError]
    )
    worker = Worker(
        [queue],
        connection=redis,
        job_class=AllowedJob,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL,
        maintenance_interval=60,
        log_job_description=False,
    )
    worker.presence, worker.kind = presence, kind
    presence.beat(kind)
    try:
        worker.work(logging_level="WARNING", max_jobs=max_jobs)
    finally:
        presence.leave(kind)
