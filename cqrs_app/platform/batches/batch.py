"""A batch: one command for many items. Pure; its items are rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import Rule, handles, rule
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.batches.commands import (
    CancelBatch,
    CreateBatch,
    EndBatch,
    PauseBatch,
    ResumeBatch,
    RetryBatchItems,
    StartBatch,
)
from cqrs_app.platform.batches.events import (
    BatchCancelled,
    BatchCreated,
    BatchEnded,
    BatchItemsRetried,
    BatchPaused,
    BatchResumed,
    BatchStarted,
)
from cqrs_app.platform.batches.words import BatchState

NO_SUCH_BATCH = Refusal("no_such_batch", "There is no batch of this id.")
NOT_FROZEN = Refusal("not_frozen", "No items were chosen for this batch.")
BATCH_EXISTS = Refusal("batch_exists", "The batch was created already.")
NOT_NOW = Refusal("not_now", "The batch is in another state.")
NOT_CHECKED = Refusal("not_checked", "The batch is still being checked.")
NOT_YOURS = Refusal("not_yours", "Only whoever created the batch can start it or send items again.")


def while_it_is(*states: BatchState) -> Rule:
    """Requires one of these states. An unchecked batch may be started too."""

    @rule(NO_SUCH_BATCH, NOT_NOW)
    def check(batch: CommandBatch, batch_id: str) -> None:
        if batch.state is None:
            raise NO_SUCH_BATCH.because(f"There is no batch {batch_id}.")
        if batch.state not in states:
            raise NOT_NOW.because(f"The batch is {_NOW[batch.state]}.")

    return check


_NOW = {
    BatchState.READY: "not started yet",
    BatchState.RUNNING: "running",
    BatchState.PAUSED: "paused",
    BatchState.ENDED: "finished",
    BatchState.CANCELLED: "cancelled",
}


@dataclass
class CommandBatch(Aggregate):
    """`state` is what people decided: READY until it is started, whether or not it is checked."""

    category: ClassVar[str] = "batch"
    identity: ClassVar[str] = "batch_id"

    state: BatchState | None = None

    @handles(CreateBatch, refusals=[NOT_FROZEN, BATCH_EXISTS])
    def create(self, command: CreateBatch) -> Iterator[Event]:
        if self.state is not None:
            raise BATCH_EXISTS.because("The batch was created already.")
        yield BatchCreated(
            batch_id=command.batch_id,
            command=command.command,
            total=command.total,
            start=command.start,
            macro=command.macro,
        )

    @handles(StartBatch, when=while_it_is(BatchState.READY), refusals=[NOT_YOURS, NOT_CHECKED])
    def start(self, command: StartBatch) -> Iterator[Event]:
        yield BatchStarted(batch_id=command.batch_id, leave_out=command.leave_out)

    @handles(ResumeBatch, when=while_it_is(BatchState.PAUSED))
    def resume(self, command: ResumeBatch) -> Iterator[Event]:
        yield BatchResumed(batch_id=command.batch_id)

    @handles(PauseBatch, when=while_it_is(BatchState.RUNNING))
    def pause(self, command: PauseBatch) -> Iterator[Event]:
        yield BatchPaused(batch_id=command.batch_id, reason=command.reason)

    @handles(CancelBatch, when=while_it_is(BatchState.READY, BatchState.RUNNING, BatchState.PAUSED))
    def cancel(self, command: CancelBatch) -> Iterator[Event]:
        yield BatchCancelled(batch_id=command.batch_id)

    @handles(
        RetryBatchItems,
        when=while_it_is(BatchState.ENDED, BatchState.CANCELLED),
        refusals=[NOT_YOURS],
    )
    def retry(self, command: RetryBatchItems) -> Iterator[Event]:
        yield BatchItemsRetried(batch_id=command.batch_id, outcome=command.outcome)

    @handles(EndBatch, refusals=[NO_SUCH_BATCH, NOT_NOW])
    def end(self, command: EndBatch) -> Iterator[Event]:
        while_it_is(BatchState.RUNNING, BatchState.PAUSED)(self, command.batch_id)
        yield BatchEnded(batch_id=command.batch_id)

    def evolve(self, event: Event, at: datetime) -> None:
        self.state = state_after(type(event).__name__) or self.state
        if isinstance(event, BatchCreated) and event.start:
            self.state = BatchState.RUNNING


def state_after(event: str) -> BatchState | None:
    """The state that an event of this type leads to. A batch that starts at once is READY for no
    longer than its creation."""
    return _AFTER.get(event)


_AFTER: Mapping[str, BatchState] = MappingProxyType(
    {
        BatchCreated.__name__: BatchState.READY,
        BatchStarted.__name__: BatchState.RUNNING,
        BatchResumed.__name__: BatchState.RUNNING,
        BatchItemsRetried.__name__: BatchState.RUNNING,
        BatchPaused.__name__: BatchState.PAUSED,
        BatchCancelled.__name__: BatchState.CANCELLED,
        BatchEnded.__name__: BatchState.ENDED,
    }
)
