"""Runs several calls concurrently, each in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 4
"""Concurrent calls of one request. Each may hold a database connection."""


def side_by_side(calls: Iterable[Callable[[], T]], at_once: int) -> list[T]:
    """The results of the calls, in order. Raises the first exception, once all calls have ended.

    With `at_once` 1 they run one after the other in this thread. Each call sees the context
    variables of the caller, such as its request.
    """
    if at_once == 1:
        return [call() for call in calls]
    with ThreadPoolExecutor(at_once, thread_name_prefix="side-by-side") as threads:
        futures = [threads.submit(copy_context().run, call) for call in calls]
    return [future.result() for future in futures]
