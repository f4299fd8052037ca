"""The background tasks that send notices, and the heartbeat."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions import presence
from cqrs_app.kernel.subscriptions.schedule import pause_after
from cqrs_app.kernel.subscriptions.tasks import WORKER, BackgroundTask
from cqrs_app.platform.alerts import notices, watching
from cqrs_app.platform.alerts.channels import Channel, by_name
from cqrs_app.platform.alerts.notices import Notice
from cqrs_app.platform.alerts.schedule import Turns
from cqrs_app.platform.webhooks.sending import post
from cqrs_app.platform.webhooks.targets import Network
from cqrs_app.platform.webhooks.tasks import Deliveries

GIVEN_UP_AFTER = timedelta(hours=24)
SILENT_AFTER = timedelta(minutes=1)
"""Without a look at the problems for so long, no heartbeat is sent."""
HEARTBEAT = Turns("heartbeat", timedelta(minutes=1))
NEVER_ENDED = "The process was killed at each attempt."
KEY = "all"


class NotSent(Exception):
    """A notice that was given up."""


class SendNotices(BackgroundTask):
    """Sends what is due. The key is the number of a notice. A killed process may send one twice."""

    name: ClassVar[str] = "alert_notices"
    # They wait for other systems too.
    worker: ClassVar[str] = Deliveries.worker
    at_once: ClassVar[int] = 4
    sends_commands: ClassVar[bool] = False

    def __init__(
        self, channels: Sequence[Channel], chance: Callable[[], float] = random.random
    ) -> None:
        self._channels = by_name(channels)
        self._chance = chance

    def due(self, kernel: Kernel) -> list[str]:
        return [str(each) for each in notices.due(kernel.engines.write, kernel.clock())]

    def work(self, kernel: Kernel, key: str) -> bool:
        engine = kernel.engines.write
        notice = notices.take(engine, int(key), kernel.clock())
        if notice is None:
            return False
        channel = self._channels.get(notice.channel)
        given_up = kernel.clock() - notice.created_at >= GIVEN_UP_AFTER
        if channel is None:
            error = "This channel is not set up any more."
        elif given_up and notice.attempts > 1:
            error = notice.error or NEVER_ENDED
        else:
            error = _attempt(channel, notice)
        now = kernel.clock()
        if not error:
            notices.finish(engine, notice, "sent", "", now, now)
            return False
        hopeless = channel is None or given_up
        again = now + pause_after(notice.attempts, self._chance())
        notices.finish(engine, notice, "failed" if hopeless else "waiting", error, now, again)
        if hopeless:
            kernel.report(NotSent(error), kind="job", place=self.name, reference=key)
        return False


def _attempt(channel: Channel, notice: Notice) -> str:
    try:
        return channel.send(notice)
    except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
        # Its text may hold the address.
        return f"The program of this channel failed with {type(error).__name__}."


class SendHeartbeat(BackgroundTask):
    """Calls an address each minute while problems are looked for and a worker and a sweep are
    alive. Whoever watches that address notices when nobody does."""

    name: ClassVar[str] = "heartbeat"
    worker: ClassVar[str] = Deliveries.worker
    sends_commands: ClassVar[bool] = False

    def __init__(self, url: str, console: str, allowed: tuple[Network, ...]) -> None:
        self._url = url
        self._console = console
        self._allowed = allowed

    def due(self, kernel: Kernel) -> list[str]:
        if not self._url:
            return []
        return [KEY] if HEARTBEAT.is_due(kernel.engines.write, kernel.clock()) else []

    def work(self, kernel: Kernel, key: str) -> bool:
        with HEARTBEAT.taken(kernel) as turn:
            if turn:
                turn.error = missing(kernel) or self._call(kernel.clock())
        return False

    def _call(self, now: datetime) -> str:
        body = json.dumps({"console": self._console, "at": now.isoformat()}).encode()
        return post(self._url, body, {"User-Agent": "Countersign-Heartbeat/1"}, self._allowed).error


def missing(kernel: Kernel) -> str:
    """Why no heartbeat may be sent, as a sentence; empty if one may."""
    now = kernel.clock()
    with reader_of(kernel.engines.write).connect() as connection:
        alive = {each.kind for each in presence.seen(connection, now) if each.alive}
    for kind in (presence.SWEEP, WORKER):
        if kind not in alive:
            return f"No {kind} is running."
    looked = watching.TURNS.last(kernel.engines.write)
    if looked is None or now - looked > SILENT_AFTER:
        return "Nobody looks for problems."
    return ""
