"""A worker keeps nothing of a job that went well, and the whole of one that failed."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from redis import Redis
from rq import Queue
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.statistics import totals
from cqrs_app.processes.jobs import AllowedJob
from cqrs_app.processes.worker import run_worker

pytestmark = pytest.mark.usefixtures("signals_as_before")


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_failed_job_is_kept_with_its_reason_and_the_next_one_is_done(
    kernel: Kernel, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqrs_app.processes.jobs.ALLOWED", {"time.sleep"})
    monkeypatch.setattr("cqrs_app.processes.jobs.kernel", kernel)
    redis = Redis.from_url(redis_url)
    queue = Queue("countersign", connection=redis, serializer=JSONSerializer, job_class=AllowedJob)
    queue.enqueue("time.sleep", 0, result_ttl=0)
    failing = queue.enqueue("os.system", "true", failure_ttl=60)
    queue.enqueue("time.sleep", 0, result_ttl=0)

    run_worker(redis_url, 3, kernel.presence, kernel.recorder, kernel.statistics, queue=queue.name)

    assert not queue.job_ids
    assert FailedJobRegistry(queue=queue).get_job_ids() == [failing.id]
    failing.refresh()
    result = failing.latest_result()
    assert failing.is_failed
    assert result
    assert "PermissionError: os.system" in str(result.exc_string)
    assert not redis.exists(queue.intermediate_queue_key)
    jobs = {key for key in redis.scan_iter("rq:job:*") if redis.type(key) == b"hash"}
    assert jobs == {f"rq:job:{failing.id}".encode()}
    kernel.statistics.flush()
    assert counts(kernel, "job") == {("sleep", "finished"): 2, ("system", "failed"): 1}
    assert counts(kernel, "job_wait") == {("worker", "started"): 3}


def counts(kernel: Kernel, bus: str) -> dict[tuple[str, str], int]:
    with kernel.engines.write.connect() as connection:
        rows = connection.execute(totals(bus)).all()
    found: dict[tuple[str, str], int] = {}
    for name, result, _, count, _ in rows:
        found[name, result] = found.get((name, result), 0) + count
    return found
