"""The chain every command runs through, outermost first: record, deduplicate, authorise, retry.

A middleware takes the call and `proceed`, the rest of the chain. An area adds its own the same way
(`Area.middleware`). They run after these, in every attempt.
"""

from __future__ import annotations

import logging
import random
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Protocol

from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Context, Receipt, running_command
from cqrs_app.kernel.commands.denials import Denials
from cqrs_app.kernel.commands.log import CommandLog
from cqrs_app.kernel.errors import (
    AlreadyRecorded,
    BusError,
    CommandReused,
    NotAllowed,
    Refused,
    TimedOut,
    VersionConflict,
)
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.messages.permissions import Permission
from cqrs_app.kernel.privacy.personal import redacted
from cqrs_app.kernel.reporting import Reporter, unreported
from cqrs_app.kernel.store.tables import FINAL
from cqrs_app.kernel.tracing.live import NO_SPAN
from cqrs_app.kernel.tracing.tracer import Tracer, in_queue

HISTORY = Permission("history.record", None)
"""The permission to record past events with the time they happened."""

RETRY_PAUSE_SECONDS = 0.01

Proceed = Callable[[Call], Receipt]
Middleware = Callable[[Call, Proceed], Receipt]


class Count(Protocol):
    """Called with the name of a message, its result and its milliseconds. `error` is the code of a
    refusal or the name of an exception, empty otherwise."""

    def __call__(self, name: str, result: str, ms: float, error: str = "") -> None: ...


OUTCOMES = ("succeeded", "refused", "failed", "repeated")
"""The outcomes in the statistics. Each command is counted once, a queued one when it is carried
out."""

logger = logging.getLogger(__name__)


def compose(chain: Sequence[Middleware], innermost: Proceed) -> Proceed:
    """One function that runs the whole chain, `chain[0]` outermost."""
    composed = innermost
    for each in reversed(chain):
        composed = _around(each, composed)
    return composed


def _around(middleware: Middleware, proceed: Proceed) -> Proceed:
    return lambda call: middleware(call, proceed)


class Trace:
    """Makes a span of each command, with one below it for each event it wrote. Names the command
    for log lines."""

    def __init__(self, tracer: Tracer, *, queued: bool = False) -> None:
        self._tracer = tracer
        self._queued = queued

    def __call__(self, call: Call, proceed: Proceed) -> Receipt:
        token = running_command.set(call.context)
        try:
            return self._traced(call, proceed)
        finally:
            running_command.reset(token)

    def _traced(self, call: Call, proceed: Proceed) -> Receipt:
        context = call.context
        if self._queued:
            span = self._tracer.queued(call.name, context.command_id, context.correlation)
        else:
            cause = in_queue(context.command_id) if call.was_queued else context.causation_id
            span = self._tracer.command(call.name, context.command_id, context.correlation, cause)
        if span is NO_SPAN:
            return proceed(call)
        with span:
            span.note("cqrs.command.id", context.command_id)
            span.note("cqrs.stream", call.stream)
            receipt = proceed(call)
            if call.attempts > 1:
                span.note("cqrs.attempts", call.attempts)
            if not receipt.repeated:
                self._tracer.published(call.written)
            return receipt


class Record:
    """Writes refusals and failures to the log after the rollback, and counts every outcome.

    A success is written by the command's own transaction, so that neither exists without the other.
    A repeated or reused id is not written: its row belongs to the first use. A batch switches
    `count_successes` off and counts its successes itself, once they are committed.
    """

    def __init__(
        self,
        log: CommandLog,
        denials: Denials,
        count: Count,
        report: Reporter = unreported,
        *,
        count_successes: bool = True,
    ) -> None:
        self._log = log
        self._denials = denials
        self._count = count
        self._report = report
        self._count_successes = count_successes

    def __call__(self, call: Call, proceed: Proceed) -> Receipt:
        try:
            receipt = proceed(call)
        except CommandReused:
            self._count(call.name, "refused", call.duration_ms, CommandReused.code)
            raise
        except NotAllowed as error:
            if call.context.deferred:
                self._write(call, "refused", error.code, error.sentence)
                raise
            self._denials.record(
                call.name, call.context, error, stream=call.stream, received_at=call.received_at
            )
            self._count(call.name, "refused", call.duration_ms, error.code)
            raise
        except (Refused, VersionConflict) as error:
            if call.repeated:
                self._count(call.name, "repeated", call.duration_ms)
                raise
            # A lost race is no verdict on the command: the same id may be tried again.
            lost = isinstance(error, VersionConflict) and error.actual is None
            self._write(call, "failed" if lost else "refused", error.code, error.sentence)
            if lost:
                self._report_failure(call, error)
            raise
        except Exception as error:
            code = error.code if isinstance(error, BusError) else type(error).__name__
            lines = redacted("".join(traceback.format_exception(error)), call.command)
            self._report_failure(call, error)
            self._write(call, "failed", code, redacted(str(error), call.command), traceback=lines)
            raise
        if self._count_successes and (receipt.repeated or receipt.status != "queued"):
            self._count(call.name, counted_as(receipt), call.duration_ms)
        return receipt

    def _report_failure(self, call: Call, error: Exception) -> None:
        self._report(
            error,
            kind="command",
            place=call.name,
            subject=call.stream,
            reference=call.context.command_id,
            message=call.command,
        )

    def _write(self, call: Call, outcome: str, code: str, sentence: str, **rest: str) -> None:
        self._log.record(call.entry(outcome, code=code, sentence=sentence, **rest))
        self._count(call.name, outcome, call.duration_ms, code)


def counted_as(receipt: Receipt) -> str:
    """How the statistics count a command that was carried out, or led to another outcome than a
    refusal. A repetition changed nothing."""
    return "repeated" if receipt.repeated else "succeeded"


def log_lines(call: Call, proceed: Proceed) -> Receipt:
    """Write one line per command to the process's log, without its payload."""
    outcome = "failed"
    try:
        receipt = proceed(call)
        outcome = receipt.status
        return receipt
    except (Refused, NotAllowed, VersionConflict, CommandReused) as error:
        outcome = f"refused ({error.code})"
        raise
    finally:
        logger.info(
            "%s %s by %s via %s in %.1f ms",
            call.name,
            outcome,
            call.context.actor.name,
            call.context.channel,
            call.duration_ms,
        )


def check_permission(command: type[Command], context: Context) -> None:
    """Raise NotAllowed if the actor lacks the command's permission, or the one that a past time
    requires."""
    needed = [command.declaration.permission]
    if context.occurred_at is not None:
        needed.append(HISTORY)
    for permission in needed:
        if not context.actor.may(permission):
            sender = context.actor.name if context.deferred else ""
            raise NotAllowed(command.declaration.label, permission, sender=sender)


def authorise(call: Call, proceed: Proceed) -> Receipt:
    """Check the permission of every command, whichever interface it came through."""
    check_permission(type(call.command), call.context)
    return proceed(call)


class Deduplicate:
    """Answers a repeated command id with the first receipt and appends nothing.

    The unique id in the log is the guard. The log is read only after an exception, so a command
    that succeeds pays no look-up: a repetition always raises one, at the latest from the guard.
    A deferred one that was carried out has that receipt even if its sender lost the permission
    since. Nobody else learns of one without the permission.
    """

    def __init__(self, log: CommandLog) -> None:
        self._log = log

    def __call__(self, call: Call, proceed: Proceed) -> Receipt:
        try:
            return proceed(call)
        except (AlreadyRecorded, NotAllowed, Refused, VersionConflict) as error:
            if isinstance(error, NotAllowed) and not call.context.deferred:
                raise
            earlier = self._log.find(call.context.command_id)
            if earlier is None or earlier.outcome not in FINAL:
                raise
            return call.answer_again(earlier)


class Retry:
    """Tries again, with the stream reloaded, when another writer committed first."""

    def __init__(self, attempts: int, timeout: float) -> None:
        self._attempts = max(1, attempts)
        self._timeout = timeout

    def __call__(self, call: Call, proceed: Proceed) -> Receipt:
        while True:
            call.begin()
            try:
                return proceed(call)
            except VersionConflict as conflict:
                # `actual` is known if the operator's version was outdated: a retry cannot help.
                if conflict.actual is not None or call.attempts >= self._attempts:
                    raise
            if call.duration_ms > self._timeout * 1000:
                raise TimedOut(type(call.command).declaration.label, self._timeout)
            # Random, so that two writers do not collide again.
            time.sleep(random.uniform(0, RETRY_PAUSE_SECONDS * call.attempts))  # noqa: S311
            call.attempts += 1
