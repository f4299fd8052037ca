"""Background tasks: work outside of a transaction, on rows that a subscription or a page wrote."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

WORKER = "worker"
"""The kind of process that advances subscriptions and runs queued commands."""


class BackgroundTask(ABC):
    """One kind of work, done for many things that are known by a key.

    Jobs wake workers for the keys that are due; the sweep makes up for jobs that get lost, and
    does the work itself where no worker runs. `kernel` is the Kernel.
    """

    name: ClassVar[str]
    """Unique among all tasks."""
    worker: ClassVar[str] = WORKER
    """The kind of process that does it, as it reports itself. What waits for the world outside
    has a kind to itself: it must hold up no projection."""
    supervised: bool = True
    """Whether it needs processes of its kind: False where, as things are set up, nothing comes."""

    at_once: ClassVar[int] = 1
    """How many keys one worker works on at a time: more than one where the work waits for the
    world outside, so that nobody who is slow delays others."""
    sends_commands: ClassVar[bool] = True
    """Whether it waits while commands are switched off."""

    @abstractmethod
    def due(self, kernel: Any) -> list[str]:
        """The keys with something to do now, and nobody at it."""

    @abstractmethod
    def work(self, kernel: Any, key: str) -> bool:
        """Do it for one key, for some seconds at most; whether there is more to do at once.

        Safe to call from anywhere at any time, for any key: see leases.py.
        """

    def housekeep(self, kernel: Any) -> None:  # noqa: B027 - most have nothing to tidy up
        """Called by the sweep once an hour."""
