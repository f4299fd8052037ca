"""How long each kind of data that may be about people is kept, and what deletes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.alerts import notices
from cqrs_app.platform.batches.items import Items
from cqrs_app.platform.failures import records
from cqrs_app.platform.notifications import mails
from cqrs_app.platform.notifications.inbox import Inbox
from cqrs_app.platform.operators import sessions
from cqrs_app.platform.transfer.uploads.receiving import Files


@dataclass(frozen=True, slots=True)
class Rule:
    """`forget` deletes what is older than a moment, and returns how many rows or files. The setting
    KEEP_..._DAYS, with the kind in capitals, says for how many days it is kept."""

    kind: str
    what: str
    forget: Callable[[Kernel, datetime], int]

    @property
    def setting(self) -> str:
        return f"keep_{self.kind}_days"


RULES = (
    Rule(
        "uploads",
        "files of finished imports and the rows they set aside",
        lambda kernel, before: Files(kernel.engines.write, kernel.clock).forget_before(before),
    ),
    Rule(
        "batches",
        "items of batches that have ended or were never started",
        lambda kernel, before: Items(kernel.engines.write, kernel.clock).forget_before(before),
    ),
    Rule(
        "notifications",
        "notifications, read or not",
        lambda kernel, before: Inbox(kernel.engines.write, kernel.clock).forget_before(before),
    ),
    Rule(
        "mails",
        "mails to operators, with their addresses",
        lambda kernel, before: mails.forget_before(kernel.engines.write, before),
    ),
    Rule(
        "notices",
        "notices of alerts that were sent",
        lambda kernel, before: notices.forget_before(kernel.engines.write, before),
    ),
    Rule(
        "sessions",
        "ended sessions, with their addresses and browsers",
        lambda kernel, before: sessions.forget_before(kernel.engines.write, before),
    ),
    Rule(
        "failures",
        "failures that were not seen since",
        lambda kernel, before: records.forget_before(kernel.engines.write, before),
    ),
)
