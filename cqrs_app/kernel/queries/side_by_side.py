"""Several calls at once, each in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 4
"""Calls of one request that run at once: each may hold a connection to a database."""


def side_by_side(calls: Iterable[Callable[[], T]], at_once: int) -> list[T]:
    """What the calls return, in their order; what the first of them raises, once all have ended.
    With `at_once` 1, one after the other in this thread.

    Each call sees the context variables of the caller, such as the request it is a part of.
    """
    if at_once == 1:
        return [call() for call in calls]
    with ThreadPoolExecutor(at_once, thread_name_prefix="side-by-side") as threads:
        futures = [threads.submit(copy_context().run, call) for call in calls]
    return [future.result() for future in futures]
