"""Deletes what is kept no longer, and records how much that was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.retention.commands import RecordDeletion
from cqrs_app.platform.retention.rules import RULES


class ForgetOld(BackgroundTask):
    """Applies every rule once an hour, in the sweep. `days` are those that each kind is kept."""

    name: ClassVar[str] = "retention"

    def __init__(self, actor: Actor, days: Mapping[str, int]) -> None:
        self._actor = actor
        self._days = days

    def due(self, kernel: Kernel) -> list[str]:
        return []

    def work(self, kernel: Kernel, key: str) -> bool:
        return False

    def housekeep(self, kernel: Kernel) -> None:
        for rule in RULES:
            before = kernel.clock() - timedelta(days=self._days[rule.kind])
            deleted = rule.forget(kernel, before)
            if deleted and kernel.commands.enabled:
                record = RecordDeletion(kind=rule.kind, deleted=deleted, before=before)
                kernel.commands.execute(record, Context(actor=self._actor, channel="sweep"))
