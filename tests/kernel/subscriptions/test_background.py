"""Chores beside the work: done once more at the end, and never twice at a time."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy.exc import OperationalError

from cqrs_app.kernel.subscriptions.background import Background


def test_closing_right_after_a_nudge_does_what_waits_and_ends() -> None:
    for _ in range(500):
        done: list[int] = []
        background = Background("test", lambda done=done: done.append(1))
        background.nudge()
        background.close()
        assert done


def test_who_wants_it_done_now_waits_for_the_one_that_is_under_way() -> None:
    working = threading.Lock()
    collided: list[bool] = []
    begun = threading.Event()

    def chore() -> None:
        collided.append(not working.acquire(blocking=False))
        begun.set()
        time.sleep(0.05)
        working.release()

    background = Background("test", chore)
    background.nudge()
    assert begun.wait(60)
    background.run_now()
    background.close()
    assert collided == [False, False]


def test_a_database_that_is_down_writes_one_line_and_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails() -> None:
        raise OperationalError("SELECT 1", None, Exception("no route to host"))

    Background("statistics", fails).run_now()
    [record] = caplog.records
    assert record.exc_info is None
    assert "no route to host" in record.getMessage()
