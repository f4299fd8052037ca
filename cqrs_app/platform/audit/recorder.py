"""Records security events. What happens often is counted, and written in the background."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.commands.batch import Outcome
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Actor, Context, Receipt, new_id
from cqrs_app.kernel.commands.middleware import Proceed
from cqrs_app.kernel.errors import BusError, VersionConflict
from cqrs_app.kernel.messages.messages import Command, Query
from cqrs_app.kernel.messages.patterns import ONE_LINE
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.kernel.subscriptions.background import Background
from cqrs_app.platform.audit.commands import MOST_DETAIL, RecordSecurityEvent
from cqrs_app.platform.audit.kinds import AT_ONCE, KINDS, Kind
from cqrs_app.platform.audit.origin import Origin, origin
from cqrs_app.platform.operators.roles import SYSTEM_NAMES

MOST_KEYS = 500
"""How many different things one process counts at once. Beyond them, only kinds are counted."""
MOST_WAITING = 2_000
"""Events that wait for a store that is down; the oldest are left out, and are only lines of the
log of the process."""
AT_A_TIME = 100
PAUSE_SECONDS = 1.0
LETTER = re.compile(ONE_LINE)
BEYOND = "(others)"
PARTS = SYSTEM_NAMES - {"system"}
"""Parts of the console that work under a name of their own, such as fulfilment. What a provider of
single sign-on changes is sent by `system`."""

logger = logging.getLogger(__name__)

Carry = Callable[[Sequence[tuple[Command, Context]]], list[Outcome]]


class Key(NamedTuple):
    """What is counted together."""

    kind: Kind
    success: bool
    who: str
    account: str
    about: str
    origin: Origin
    detail: str


@dataclass(slots=True)
class Counted:
    """How often since when, and until when it is counted on; `count` of them are not written."""

    since: datetime
    until: datetime
    count: int


class AuditRecorder:
    """One per process. `carry_out` is that of the command bus: see `bind`."""

    def __init__(self, actor: Actor, clock: Clock, *, enabled: bool) -> None:
        self._actor = actor
        self._clock = clock
        self._enabled = enabled
        self._lock = threading.Lock()
        self._recorder, self._pid = "", 0
        self._counted: dict[Key, Counted] = {}
        self._waiting: list[RecordSecurityEvent] = []
        self._carry_out: Carry | None = None
        self._background = Background("security events", self._write, PAUSE_SECONDS)

    def bind(self, carry_out: Carry) -> None:
        self._carry_out = carry_out

    def record(
        self,
        kind: Kind,
        who: str = "",
        about: str = "",
        *,
        account: str = "",
        success: bool = True,
        detail: str = "",
        at: Origin | None = None,
    ) -> None:
        """Record that this happened. What is not counted is written before this returns, unless
        the store is down or commands are switched off: then it is written later."""
        if not self._enabled:
            return
        detail = _one_line(detail, MOST_DETAIL)
        who, account, about = map(_one_line, (who, account, about))
        key = Key(kind, success, who, account, about, at or origin.get(), detail)
        if KINDS[kind].every == AT_ONCE:
            with self._lock:
                self._waiting.append(self._command(key, self._clock(), 1))
            self._background.run_now()
        else:
            self._count(key, KINDS[kind].every)
        if self._waiting or self._counted:
            self._background.nudge()

    def seen(self, query: Query, actor: str) -> None:
        """Personal data was in an answer that a person or a program asked for."""
        if origin.get().by_person:
            self.record(Kind.PERSONAL_DATA_SEEN, actor, type(query).__name__)

    def middleware(self, call: Call, proceed: Proceed) -> Receipt:
        """Records each sensitive command of a person, a token, a shell or a provider: those that
        ask for a confirmation, and those that only administrators may send."""
        declared = type(call.command).declaration
        is_sensitive = declared.step_up or declared.permission.role is Role.ADMIN
        if call.dry or not is_sensitive or call.context.actor.name in PARTS:
            return proceed(call)
        try:
            receipt = proceed(call)
            self._carried_out(call)
            return receipt
        except VersionConflict:
            raise  # it is tried again, or somebody looks at it again
        except BusError as error:
            self._carried_out(call, error.code)
            raise

    def _carried_out(self, call: Call, refusal: str = "") -> None:
        self.record(
            Kind.ADMINISTRATION,
            call.context.actor.name,
            f"{call.name} {call.stream}",
            success=not refusal,
            detail=refusal or call.context.command_id,
            at=replace(origin.get(), channel=call.context.channel),
        )

    def flush(self) -> None:
        """Write everything now, what is still counted included."""
        with self._lock:
            for each in self._counted.values():
                each.until = self._clock()
        self._background.run_now()

    def close(self) -> None:
        self.flush()
        self._background.close()

    def _count(self, key: Key, every: timedelta) -> None:
        now = self._clock()
        with self._lock:
            if key not in self._counted and len(self._counted) >= MOST_KEYS:
                key = Key(key.kind, key.success, "", "", BEYOND, Origin(), "")
            found = self._counted.get(key)
            if found is None:
                # The first is written at once; those after it once the time is over.
                self._counted[key] = Counted(now, now + every, 0)
                self._waiting.append(self._command(key, now, 1))
                return
            found.since = now if not found.count else found.since
            found.count += 1

    def _write(self) -> None:
        """Write what is due. As long as anything waits or is counted, it is looked at again."""
        try:
            self._write_due()
        finally:
            if self._waiting or self._counted:
                self._background.nudge()

    def _write_due(self) -> None:
        now = self._clock()
        with self._lock:
            for key, each in list(self._counted.items()):
                if each.until <= now:
                    del self._counted[key]
                    if each.count:
                        self._waiting.append(self._command(key, each.since, each.count))
            lost, self._waiting = self._waiting[:-MOST_WAITING], self._waiting[-MOST_WAITING:]
        if lost:
            logger.error("%s security events could not be recorded and were left out", len(lost))
        while self._write_some():
            pass

    def _write_some(self) -> bool:
        """Write some of those that wait; returns whether more remain. Raises what a store that is
        down raises; they then wait on."""
        with self._lock:
            some = self._waiting[:AT_A_TIME]
        if not some or self._carry_out is None:
            return False
        contexts = [Context(actor=self._actor, channel="system") for _ in some]
        try:
            outcomes = self._carry_out(list(zip(some, contexts, strict=True)))
        except BusError:  # commands are switched off, or there are too many at once
            return False
        for outcome in outcomes:
            if outcome.error is not None:
                logger.error("a security event was not recorded: %s", outcome.error.sentence)
        with self._lock:
            self._waiting = self._waiting[len(some) :]
            return bool(self._waiting)

    def _stream_of_process(self) -> str:
        """A forked process has a stream of its own."""
        if self._pid != os.getpid():
            self._recorder, self._pid = new_id(), os.getpid()
        return self._recorder

    def _command(self, key: Key, since: datetime, count: int) -> RecordSecurityEvent:
        return RecordSecurityEvent(
            recorder=self._stream_of_process(),
            kind=key.kind,
            since=since,
            success=key.success,
            who=key.who,
            account=key.account,
            about=key.about,
            channel=key.origin.channel,
            address=_one_line(key.origin.address, 64),
            session=key.origin.session,
            detail=key.detail,
            count=count,
        )


def _one_line(text: str, most: int = 200) -> str:
    """At most so many characters, with blanks for those that no event may have."""
    return "".join(letter if LETTER.match(letter) else " " for letter in text[:most]).strip()
