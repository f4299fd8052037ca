"""The RQ worker: it does not fork per job, reports to the database, and waits for Redis."""

from __future__ import annotations

import time
import traceback
from datetime import UTC, datetime

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
from cqrs_app.kernel.measurements.recorder import Recorder
from cqrs_app.kernel.statistics import Statistics
from cqrs_app.kernel.subscriptions.presence import BEAT_SECONDS, Presence
from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.processes.jobs import AllowedJob

WORKER_TTL = 20
"""In seconds. RQ waits for a job for 15 seconds less, so the worker reports every five seconds."""


class Worker(SimpleWorker):
    """A SimpleWorker starts a job in 2 ms, a forking worker in 10. If it dies, the supervisor
    restarts it."""

    presence: Presence
    recorder: Recorder
    statistics: Statistics
    kind: str
    _beaten = float("-inf")

    def procline(self, message: str) -> None:
        """Overridden so that `ps` shows the kind of worker instead of the name of its queue."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ sends several heartbeats per job. Most are skipped."""
        if timeout or time.monotonic() - self._beaten > BEAT_SECONDS:
            self._beaten = time.monotonic()
            super().heartbeat(timeout, pipeline)
        self.presence.beat(self.kind)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Remove the job from the queue, perform it, and keep a record only if it fails.

        RQ would record its progress in some ten round trips. Our jobs are hints: the sweep makes up
        for one that is lost with its worker.
        """
        with self.connection.pipeline() as pipeline:
            self.set_state(WorkerStatus.BUSY, pipeline=pipeline)
            self.heartbeat(self.get_heartbeat_ttl(job), pipeline=pipeline)
            pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
            pipeline.delete(job.key)
            pipeline.execute()
        seconds = job.timeout or queue.DEFAULT_TIMEOUT
        if job.enqueued_at:
            waited_ms = (datetime.now(UTC) - job.enqueued_at).total_seconds() * 1000
            self.recorder.record("job_wait", (self.kind,), waited_ms)
            self.statistics.count("job_wait", self.kind, "started", waited_ms)
        began, result = time.perf_counter(), "finished"
        try:
            with self.death_penalty_class(seconds, JobTimeoutException, job_id=job.id):
                job.perform()
        except Exception as error:  # noqa: BLE001 - any exception is kept in the record
            result = "failed"
            job.save()
            self.handle_exception(job, type(error), error, error.__traceback__)
            self.handle_job_failure(job, queue, exc_string=traceback.format_exc())
        function = str(job.func_name).rpartition(".")[2]
        elapsed = (time.perf_counter() - began) * 1000
        self.recorder.record("jobs", (self.kind, function, result), elapsed)
        self.statistics.count("job", function, result, elapsed)
        self.set_state(WorkerStatus.IDLE)
        self.presence.beat(self.kind)


def run_worker(
    url: str,
    max_jobs: int,
    presence: Presence,
    recorder: Recorder,
    statistics: Statistics,
    *,
    queue: str,
    kind: str = WORKER,
) -> None:
    """Work until the process is stopped, or for `max_jobs` jobs. Redis may go down and come back.

    `kind` is how the process reports itself.
    """
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
    worker.recorder, worker.statistics = recorder, statistics
    presence.beat(kind)
    try:
        worker.work(logging_level="WARNING", max_jobs=max_jobs)
    finally:
        presence.leave(kind)
