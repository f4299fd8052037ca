"""Keys of a background task in threads."""

from __future__ import annotations

import threading
from collections import Counter

from cqrs_app.kernel.subscriptions.task_threads import TaskThreads
from tests.processes.running import eventually


class Gate:
    """Work that lasts until a test opens the gate."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.opened = threading.Event()

    def work(self, key: str) -> None:
        self.begun[key] += 1
        self.opened.wait(60)


def test_keys_are_worked_on_side_by_side_and_each_by_one_thread() -> None:
    gate = Gate()
    threads = TaskThreads("task", gate.work, 4)
    for key in ("a", "b", "a"):
        threads.start(key, wait=True)
    assert eventually(lambda: gate.begun == {"a": 1, "b": 1})
    gate.opened.set()
    # Whatever came up for a key meanwhile is seen to afterwards.
    threads.join(60)
    assert gate.begun == {"a": 2, "b": 1}


def test_with_all_threads_busy_a_key_waits_for_one_or_is_left_to_the_next_call() -> None:
    gate = Gate()
    threads = TaskThreads("task", gate.work, 1)
    threads.start("a", wait=True)
    threads.start("b", wait=False)
    waiting = threading.Thread(target=threads.start, args=("c",), kwargs={"wait": True})
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    gate.opened.set()
    waiting.join(60)
    threads.join(60)
    assert gate.begun == {"a": 1, "c": 1}


def test_work_that_raises_frees_its_thread() -> None:
    done = []

    def work(key: str) -> None:
        done.append(key)
        raise RuntimeError(key)

    threads = TaskThreads("task", work, 1)
    for key in ("a", "a", "b"):
        threads.start(key, wait=True)
        threads.join(60)
    assert done == ["a", "a", "b"]
