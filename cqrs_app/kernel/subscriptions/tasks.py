"""Background tasks: work outside a transaction, on rows that a subscription or a page wrote."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

WORKER = "worker"
"""The kind of process that advances subscriptions and runs queued commands."""


class BackgroundTask(ABC):
    """One kind of work, done for many things that are identified by a key.

    Jobs wake workers for the keys that are due. The sweep makes up for lost jobs, and does the work
    itself if no worker runs. `kernel` is the Kernel.
    """

    name: ClassVar[str]
    """Unique among all tasks."""
    worker: ClassVar[str] = WORKER
    """The kind of process that does it, as it reports itself. Work that waits for external systems
    has its own kind, so that it delays no projection."""
    supervised: bool = True
    """Whether it needs processes of its kind. False if the settings rule out that any work
    comes."""

    at_once: ClassVar[int] = 1
    """How many keys one worker works on at a time: several if the work waits for external systems,
    so that a slow one does not delay the others."""
    sends_commands: ClassVar[bool] = True
    """Whether it pauses while commands are switched off."""

    @abstractmethod
    def due(self, kernel: Any) -> list[str]:
        """The keys that have work to do now and that nobody is working on."""

    @abstractmethod
    def work(self, kernel: Any, key: str) -> bool:
        """Do the work for one key, for some seconds at most; returns whether more remains.

        Safe to call concurrently, for any key: see leases.py.
        """

    def housekeep(self, kernel: Any) -> None:  # noqa: B027 - most have nothing to tidy up
        """Called by the sweep once an hour."""
