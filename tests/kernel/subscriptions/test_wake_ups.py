"""Wake-ups: coalesced, harmless when lost, and never a way to run anything else."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection

import pytest
from redis import Redis
from redis.exceptions import ConnectionError  # noqa: A004 - what the client raises
from rq import Queue
from rq.serializers import JSONSerializer

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.subscriptions import wake_ups
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.kernel.subscriptions.wake_ups import (
    BUSY_COMMITS,
    BUSY_PAUSE_SECONDS,
    PAUSE_SECONDS,
)
from cqrs_app.processes.jobs import AllowedJob
from tests.kernel.conftest import by_ana
from tests.kernel.shop import Add


def waiting(kernel: Kernel) -> list[tuple[str, tuple[str, ...]]]:
    jobs = kernel.wake_ups.queue().jobs
    return [(job.func_name, tuple(job.args)) for job in jobs]


def add(kernel: Kernel) -> None:
    kernel.commands.execute(Add(counter_id="a"), by_ana())
    kernel.wake_ups.flush()


def test_at_most_one_wake_up_per_consumer_waits(kernel: Kernel) -> None:
    for _ in range(5):
        add(kernel)
    kernel.wake_ups.close()
    assert waiting(kernel) == [("cqrs_app.processes.jobs.advance", ("counters",))]
    kernel.wake_ups.advanced("counters")
    add(kernel)
    kernel.wake_ups.close()
    assert len(waiting(kernel)) == 2


def test_a_queued_command_wakes_a_worker_with_its_id(kernel: Kernel) -> None:
    kernel.commands.enqueue(Add(counter_id="a"), by_ana(command_id="one"))
    kernel.wake_ups.close()
    assert waiting(kernel) == [("cqrs_app.processes.jobs.run_command", ("one",))]


def test_what_is_written_to_redis_is_json_and_holds_no_business_data(kernel: Kernel) -> None:
    kernel.commands.execute(Add(counter_id="secret-order"), by_ana())
    kernel.wake_ups.close()
    kernel.wake_ups.flush()
    jobs = list(kernel.redis.scan_iter("rq:job:*"))
    assert jobs
    for key in jobs:
        if kernel.redis.type(key) == b"hash":
            import zlib

            data = zlib.decompress(kernel.redis.hget(key, "data"))  # type: ignore[arg-type]
            assert json.loads(data) == ["cqrs_app.processes.jobs.advance", None, ["counters"], {}]
    assert b"secret-order" not in b"".join(
        kernel.redis.dump(key) or b"" for key in kernel.redis.scan_iter("*")
    )


def test_a_job_that_is_not_ours_is_not_run(redis_url: str) -> None:
    queue = Queue(
        "countersign",
        connection=Redis.from_url(redis_url),
        serializer=JSONSerializer,
        job_class=AllowedJob,
    )
    job = queue.enqueue("os.system", "true")
    with pytest.raises(PermissionError, match=r"os\.system"):
        job.perform()


def test_redis_down_costs_an_operator_nothing_and_is_said_once(
    make_kernel: Callable[..., Kernel],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wake_ups, "REST_SECONDS", 0)
    kernel = make_kernel(redis="unix:///nowhere/redis.sock")
    receipts = []
    for _ in range(20):
        receipts.append(kernel.commands.execute(Add(counter_id="a"), by_ana()))
        kernel.wake_ups.flush()
    kernel.wake_ups.advanced("counters")
    assert [receipt.version for receipt in receipts] == list(range(1, 21))
    kernel.wake_ups.close()
    assert kernel.wake_ups.missed > 1
    said = [each.getMessage() for each in caplog.records if "wake-up" in each.getMessage()]
    assert len(said) == 1
    assert "the sweep does the work meanwhile" in said[0]


def test_redis_that_is_back_is_said_once(
    kernel: Kernel, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake_ups, "REST_SECONDS", 0)
    with monkeypatch.context() as patch:
        patch.setattr(kernel.wake_ups, "_unmarked", _away)
        add(kernel)
    for _ in range(3):
        add(kernel)
        kernel.wake_ups.advanced("counters")
    said = [each.getMessage() for each in caplog.records if "takes wake-ups again" in each.msg]
    assert said == ["Redis takes wake-ups again; missed so far: 1"]


def _away(consumers: Collection[str]) -> list[str]:
    raise ConnectionError("away")


def test_a_job_is_done_though_redis_does_not_forget_its_wake_up(
    make_kernel: Callable[..., Kernel],
) -> None:
    class Imports(BackgroundTask):
        name = "imports"

        def due(self, kernel: Kernel) -> list[str]:
            return []

        def work(self, kernel: Kernel, key: str) -> bool:
            return False

    kernel = make_kernel(redis="unix:///nowhere/redis.sock")
    kernel.wake_ups.advanced("counters")
    kernel.wake_ups.worked(Imports(), "1")


def test_rounds_are_further_apart_while_each_is_for_several_commits(kernel: Kernel) -> None:
    pauses = []
    for commits in (1, BUSY_COMMITS, 1):
        with kernel.wake_ups._background._working:  # no round begins meanwhile
            for _ in range(commits):
                kernel.commands.execute(Add(counter_id="a"), by_ana())
        kernel.wake_ups.flush()
        pauses.append(kernel.wake_ups._background.pause)
        kernel.wake_ups.advanced("counters")
    assert pauses == [PAUSE_SECONDS, BUSY_PAUSE_SECONDS, PAUSE_SECONDS]
