"""The options of the command bus."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BusOptions:
    """The options of the bus, explained in docs/settings.md. If `max_concurrent` is
    0, there is no limit."""

    enabled: bool = True
    queued: bool = False
    authorise: bool = True
    log_lines: bool = True
    snapshots: bool = True
    optimistic_concurrency: bool = True
    retry_attempts: int = 3
    timeout: float = 30.0
    max_concurrent: int = 100
