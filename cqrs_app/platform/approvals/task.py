"""Carries out what is approved and ends what is overdue. Killed at any point, another process
continues: the requested command has one id, under which it is carried out once."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import Engine, select, update

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.repository import Repository
from cqrs_app.kernel.errors import BusError, Refused, VersionConflict
from cqrs_app.kernel.events.recorded import StoredEvent
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.store.engines import reader_of
from cqrs_app.kernel.subscriptions.leases import Lease
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.approvals.circumstances import shown
from cqrs_app.platform.approvals.commands import RecordOutcome, RemindSigners
from cqrs_app.platform.approvals.events import ApprovalOverridden, ApprovalSigned
from cqrs_app.platform.approvals.gate import LATER, execution_id, requested
from cqrs_app.platform.approvals.reminders import remind_at
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.approvals.subscription import columns_of
from cqrs_app.platform.approvals.tables import approval_requests
from cqrs_app.platform.approvals.types import RequestState

logger = logging.getLogger("countersign")

CHANNEL = "approval"
LEASE = Lease(timedelta(seconds=10))
MOST = 1_000
"""Requests that are due at a time."""
PROGRAM_FAULT = (
    "A fault of the program prevented it. Nothing was changed. The log of the worker has details."
)
_ROW = approval_requests.c
_PENDING = [each for each in RequestState if each.pending]


class Changed(BusError):
    """What it would do is no longer what was signed."""


class CarryOutRequests(BackgroundTask):
    """The key is the id of a request; `actor` records what became of it."""

    name: ClassVar[str] = "approvals"

    def __init__(self, actor: Actor, signers: Signers) -> None:
        self._actor = actor
        self._signers = signers

    def due(self, kernel: Kernel) -> list[str]:
        overdue = _ROW.due < kernel.clock()
        wanted = (_ROW.state == RequestState.APPROVED) | overdue | _ROW.erased
        due = (_ROW.state.in_(_PENDING) & wanted) | (_ROW.remind_at < kernel.clock())
        found = select(_ROW.request_id).where(
            due | (_ROW.shape < ApprovalRequest.shape), LEASE.is_free(_ROW.lease_until)
        )
        with reader_of(kernel.engines.write).connect() as connection:
            return list(connection.execute(found.order_by(_ROW.asked_at).limit(MOST)).scalars())

    def work(self, kernel: Kernel, key: str) -> bool:
        row = _take(kernel.engines.write, key)
        if row is None:
            return False
        repository = Repository(kernel.store, kernel.registry.codec)
        request, _ = repository.load(ApprovalRequest, ApprovalRequest.stream_of(key))
        assert isinstance(request, ApprovalRequest)  # noqa: S101 - what load was asked for
        if row.shape < ApprovalRequest.shape:
            _make_anew(kernel.engines.write, key, row.request, request)
        if request.state is not None and request.state.pending:
            self._proceed(kernel, key, request, erased=row.erased)
        elif _is_to_remind(kernel, request):
            self._send(kernel, key, RemindSigners(request_id=key))
        # The lease is kept: until the row has followed it would be found due again.
        return False

    def _proceed(self, kernel: Kernel, key: str, request: ApprovalRequest, *, erased: bool) -> None:
        if _is_done(kernel, key):
            self._record(kernel, key, request, RequestState.EXECUTED)
        elif erased:
            self._record(kernel, key, request, RequestState.VOID)
        elif request.due is not None and request.due < kernel.clock():
            self._record(kernel, key, request, RequestState.EXPIRED)
        elif _is_to_remind(kernel, request):
            self._send(kernel, key, RemindSigners(request_id=key))
        elif request.state is RequestState.APPROVED:
            self._carry_out(kernel, key, request)

    def _carry_out(self, kernel: Kernel, key: str, request: ApprovalRequest) -> None:
        try:
            self._execute(kernel, key, request)
        except (*LATER, *DATABASE_TROUBLE):
            raise
        except (VersionConflict, Changed) as changed:
            # It may be the command itself, carried out by a process whose lease has ended.
            state = RequestState.EXECUTED if _is_done(kernel, key) else RequestState.STALE
            self._record(kernel, key, request, state, changed.sentence)
        except BusError as error:
            self._record(kernel, key, request, RequestState.FAILED, error.sentence)
        except Exception:
            logger.exception("the command of request %s", key)
            self._record(kernel, key, request, RequestState.FAILED, PROGRAM_FAULT)
        else:
            self._record(kernel, key, request, RequestState.EXECUTED)

    def _execute(self, kernel: Kernel, key: str, request: ApprovalRequest) -> None:
        stream = ApprovalRequest.stream_of(key)
        stored, past = kernel.store.events_of(stream), _past(kernel, stream)
        command, asked = requested(kernel.registry.commands, self._signers, past)
        context = Context(
            actor=asked.actor,
            channel=CHANNEL,
            command_id=execution_id(key),
            correlation_id=stored[0].correlation_id,
            causation_id=_last_word(stored),
        )
        routes = kernel.registry.routes
        forecast = kernel.commands.foresee(command, context)
        now = shown(command, forecast, partial(_past, kernel), routes)
        if changed := request.change_since(now):
            raise Changed(changed)
        kernel.commands.execute(command, context)

    def _record(
        self,
        kernel: Kernel,
        key: str,
        request: ApprovalRequest,
        state: RequestState,
        sentence: str = "",
    ) -> None:
        command = RecordOutcome(
            request_id=key, after=request.changes, state=state, sentence=sentence[:1000]
        )
        self._send(kernel, key, command)

    def _send(self, kernel: Kernel, key: str, command: Command) -> None:
        context = Context(actor=self._actor, channel=CHANNEL, causation_id=execution_id(key))
        try:
            kernel.commands.execute(command, context)
        except (Refused, VersionConflict) as refused:
            # Somebody decided otherwise in this moment; the subscription follows.
            logger.info("request %s, %s: %s", key, type(command).__name__, refused.sentence)


def _make_anew(engine: Engine, request_id: str, old: str, request: ApprovalRequest) -> None:
    """Replace a row of an earlier release, unless it has moved since it was read."""
    row = (_ROW.request_id == request_id) & (_ROW.request == old)
    with engine.begin() as connection:
        connection.execute(update(approval_requests).where(row).values(columns_of(request)))


def _take(engine: Engine, request_id: str) -> Any:
    """Lease the row; returns it, None if another process has it."""
    taken = (
        update(approval_requests)
        .where(_ROW.request_id == request_id, LEASE.is_free(_ROW.lease_until))
        .values(lease_until=LEASE.end())
        .returning(_ROW.erased, _ROW.shape, _ROW.request)
    )
    with engine.begin() as connection:
        return connection.execute(taken).first()


def _is_to_remind(kernel: Kernel, request: ApprovalRequest) -> bool:
    due = remind_at(request)
    return due is not None and due < kernel.clock()


def _is_done(kernel: Kernel, request_id: str) -> bool:
    """Whether the requested command was carried out."""
    done = kernel.log.find(execution_id(request_id))
    return done is not None and done.outcome == "succeeded"


def _past(kernel: Kernel, stream: str) -> list[Event]:
    return [kernel.registry.codec.decode(each).event for each in kernel.store.events_of(stream)]


def _last_word(stored: tuple[StoredEvent, ...]) -> str | None:
    """The id of the command that approved the request."""
    names = (ApprovalSigned.__name__, ApprovalOverridden.__name__)
    return next((each.command_id for each in reversed(stored) if each.type in names), None)
