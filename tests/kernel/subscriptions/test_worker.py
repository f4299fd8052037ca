"""A worker keeps nothing of a job that went well, and the whole of one that failed."""

from __future__ import annotations

import logging
import signal
import sys
import time
import types
from collections.abc import Iterator

import pytest
from redis import Redis
from rq import Callback, Queue
from rq.registry import FailedJobRegistry, clean_registries
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.statistics import totals
from cqrs_app.processes.jobs import AllowedJob, advance, work
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
    monkeypatch.setattr("cqrs_app.processes.jobs.ALLOWED", {"time.sleep": time.sleep})
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


def test_a_job_of_another_release_is_left_to_others(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("cqrs_app.processes.jobs.kernel", kernel)
    with caplog.at_level(logging.WARNING):
        advance("gone", "counters")
        work("gone", "1")
    assert "there is no subscription gone in this release" in caplog.text
    assert "there is no background task gone in this release" in caplog.text


@pytest.mark.parametrize("kind", ["success", "failure", "stopped"])
def test_a_callback_that_a_job_names_is_never_called(
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    called: list[object] = []
    planted = types.ModuleType("planted")
    planted.called = lambda *arguments: called.append(arguments)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "planted", planted)
    redis = Redis.from_url(redis_url)
    queue = Queue("countersign", connection=redis, serializer=JSONSerializer, job_class=AllowedJob)
    callback = {f"on_{kind}": Callback("planted.called")}
    job = queue.enqueue("cqrs_app.processes.jobs.advance", "orders", **callback)
    # As of a worker that died: the registry ends it.
    redis.zadd(queue.started_job_registry.key, {f"{job.id}:1": 1})
    with caplog.at_level(logging.WARNING):
        clean_registries(queue)
        job.execute_success_callback(Unlimited, None)
        job.execute_stopped_callback(Unlimited)
    assert called == []
    assert f"names a {kind} callback, which is not called" in caplog.text
    assert not queue.started_job_registry.get_job_ids(cleanup=False)


def test_only_the_functions_of_the_product_are_imported(redis_url: str) -> None:
    redis = Redis.from_url(redis_url)
    queue = Queue("countersign", connection=redis, serializer=JSONSerializer, job_class=AllowedJob)
    for name in ("os.system", "cqrs_app.processes.jobs.reporting", "no.such.module"):
        with pytest.raises(PermissionError, match="is not a job of this product"):
            _ = queue.enqueue(name).func
    assert queue.enqueue("cqrs_app.processes.jobs.advance", "orders").func is advance


class Unlimited(BaseDeathPenalty):
    """Callbacks that are called take no time."""

    def setup_death_penalty(self) -> None: ...

    def cancel_death_penalty(self) -> None: ...


def counts(kernel: Kernel, bus: str) -> dict[tuple[str, str], int]:
    with kernel.engines.write.connect() as connection:
        rows = connection.execute(totals(bus)).all()
    found: dict[tuple[str, str], int] = {}
    for name, result, _, count, _ in rows:
        found[name, result] = found.get((name, result), 0) + count
    return found
