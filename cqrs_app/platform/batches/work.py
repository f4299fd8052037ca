"""Checks and sends the items of batches. Killed at any point, another process continues: each item
is one command, whose id is made from the batch, the item and the attempt."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.batch import Foreseen
from cqrs_app.kernel.commands.batch import Outcome as Sent
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.consequences import Quantity
from cqrs_app.kernel.commands.context import Actor, Context, Receipt
from cqrs_app.kernel.errors import (
    BusError,
    Busy,
    Refused,
    SwitchedOff,
    Unavailable,
    VersionConflict,
)
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.kernel.subscriptions.parking import DATABASE_TROUBLE
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.approvals.commands import SignRequest
from cqrs_app.platform.approvals.events import OUTDATED, ApprovalOutdated
from cqrs_app.platform.approvals.foresight import needed, policies_of
from cqrs_app.platform.approvals.gate import REQUESTED
from cqrs_app.platform.approvals.rules import CHANGED_SINCE
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.batches.commands import EndBatch
from cqrs_app.platform.batches.items import Item, Items, Result, Taken, command_id
from cqrs_app.platform.batches.subscription import followed_version
from cqrs_app.platform.batches.words import BatchState, Outcome

logger = logging.getLogger("countersign")

CHANNEL = "batch"
TURN_SECONDS = 0.5
"""How long a worker sends items before it does other work, such as updating the lists."""
PREVIEWED = 500
"""Items of a batch whose consequences are looked for: each takes several times as long as a
check."""
LATER = (Busy, SwitchedOff, Unavailable)
"""Not the item's fault: it is sent again."""
PROGRAM_FAULT = (
    "A fault of the program prevented it. Nothing was changed. The log of the worker has details."
)


class RunBatches(BackgroundTask):
    """The key is the id of a batch; `actor` ends batches. With `signers`, the check says which
    items would need approval."""

    name: ClassVar[str] = "batches"

    def __init__(self, actor: Actor, signers: Signers | None = None) -> None:
        self._actor = actor
        self._signers = signers

    def due(self, kernel: Kernel) -> list[str]:
        return Items(kernel.engines.write, kernel.clock).due()

    def work(self, kernel: Kernel, key: str) -> bool:
        items = Items(kernel.engines.write, kernel.clock)
        batch = items.take(key)
        if batch is None:
            return False
        until = time.monotonic() + TURN_SECONDS
        more = True
        while more and time.monotonic() < until:
            more = self._step(kernel, items, batch)
            batch = items.renew(key)
        items.release(key)
        return more

    def housekeep(self, kernel: Kernel) -> None:
        Items(kernel.engines.write, kernel.clock).forget_strays()

    def _step(self, kernel: Kernel, items: Items, batch: Taken) -> bool:
        """One chunk; whether more remains."""
        key = batch.batch_id
        if batch.sending:
            items.finished(key, _sent(kernel, batch, items.sending(key)))
            return True
        if batch.state == BatchState.CHECKING:
            if unchecked := items.unchecked(key):
                results = _checked(kernel, batch, unchecked)
                if self._signers is not None:
                    results = _to_approve(kernel, self._signers, batch, unchecked, results)
                items.checked(key, results, _effects(kernel, batch, unchecked, results))
                return True
            items.ready(key)
            return False
        if batch.state != BatchState.RUNNING:
            return False
        if taken := items.send(key):
            items.finished(key, _sent(kernel, batch, taken))
            return True
        # First the version: what is decided after it, such as a retry, keeps the batch from ending.
        version = followed_version(kernel.engines.write, key)
        if items.has_waiting(key):
            return True
        if version is not None:
            self._end(kernel, key, version)
        return False

    def _end(self, kernel: Kernel, batch_id: str, version: int) -> None:
        context = Context(
            actor=self._actor,
            channel=CHANNEL,
            causation_id=batch_id,
            expected_version=version,
        )
        try:
            kernel.commands.execute(EndBatch(batch_id=batch_id), context)
        except (Refused, VersionConflict) as refused:
            # Somebody decided otherwise in this moment; the subscription follows.
            logger.info("batch %s has not ended: %s", batch_id, refused.sentence)


@dataclass(frozen=True, slots=True)
class Place:
    """An item at one of its steps, and the versions that it minds, by stream."""

    item: Item
    step: int
    seen: Mapping[str, int | None]

    def after(self, receipt: Receipt) -> Place:
        """At the next step, once this one is done. If somebody else had changed the stream before,
        the version that was seen is checked further on, so that the next step conflicts."""
        before = receipt.version - len(receipt.events)
        if self.seen.get(receipt.stream) in (None, before):
            return Place(self.item, self.step + 1, {**self.seen, receipt.stream: receipt.version})
        return Place(self.item, self.step + 1, self.seen)


def _checked(kernel: Kernel, batch: Taken, items: Sequence[Item]) -> list[Result]:
    """What would become of each item now, each step decided on top of all those before it."""
    prepared = [
        [_prepared(kernel, batch, each) for each in _places(kernel, batch, item)] for item in items
    ]
    usable = [each for steps in prepared for each in steps if not isinstance(each, BusError)]
    signs = batch.command == SignRequest.__name__
    foreseen = iter(kernel.commands.rehearse(usable, judged=signs))
    results = []
    for item, steps in zip(items, prepared, strict=True):
        errors = [
            each if isinstance(each, BusError) else _error_of(next(foreseen)) for each in steps
        ]
        refused = next((number for number, each in enumerate(errors) if each), len(errors) - 1)
        place = Place(item, item.step + refused, {})
        results.append(_result(kernel, batch, place, errors[refused]))
    return results


def _to_approve(
    kernel: Kernel,
    signers: Signers,
    batch: Taken,
    items: Sequence[Item],
    results: Sequence[Result],
) -> list[Result]:
    """The same, with what a policy applies to: its items would become requests."""
    commands = {each.command for each in batch.steps}
    policies = [each for each in policies_of(kernel) if commands & {*each.commands}]
    if not policies:
        return list(results)

    def needs_approval(place: Place) -> bool:
        name = batch.steps[place.step - 1].command
        relevant = [each for each in policies if name in each.commands]
        prepared = _prepared(kernel, batch, place)
        if not relevant or isinstance(prepared, BusError):
            return False
        try:
            forecast = kernel.commands.foresee(*prepared)
        except BusError as error:
            # Possible only after an item or a step before it.
            logger.info("batch %s, item %s: %s", batch.batch_id, place.item.number, error.sentence)
            return False
        return bool(needed(kernel, signers, relevant, *prepared, forecast))

    def with_request(item: Item, result: Result) -> Result:
        if result.outcome is not Outcome.DONE:
            return result
        place = next((each for each in _places(kernel, batch, item) if needs_approval(each)), None)
        return _result(kernel, batch, place, None, requested=True) if place else result

    return [with_request(*each) for each in zip(items, results, strict=True)]


def _effects(
    kernel: Kernel, batch: Taken, items: Sequence[Item], results: Sequence[Result]
) -> dict[int, tuple[Quantity, ...]]:
    """What would follow from the steps of the first PREVIEWED items of the batch, where it can be
    added up; each step as things are now."""
    found = {}
    for item, result in zip(items, results, strict=True):
        if item.number <= PREVIEWED and result.outcome in (Outcome.DONE, Outcome.REQUESTED):
            places = _places(kernel, batch, item)
            found[item.number] = tuple(each for it in places for each in _of(kernel, batch, it))
    return found


def _of(kernel: Kernel, batch: Taken, place: Place) -> Sequence[Quantity]:
    prepared = _prepared(kernel, batch, place)
    if isinstance(prepared, BusError):
        return ()
    try:
        effects = kernel.commands.effects(*prepared)
    except BusError as error:
        # Possible only after an item or a step before it.
        logger.info("batch %s, item %s: %s", batch.batch_id, place.item.number, error.sentence)
        return ()
    return [each for effect in effects for each in effect.quantities]


def _sent(kernel: Kernel, batch: Taken, items: Sequence[Item]) -> list[Result]:
    """Carry out the commands of each item, a step of all of them at a time. Those that could not
    be tried have no result: they are sent again from where they began, and what is done is not
    repeated."""
    results = []
    open_ = [_first(kernel, batch, each) for each in items]
    while open_:
        prepared = [_prepared(kernel, batch, each) for each in open_]
        usable = [each for each in prepared if not isinstance(each, BusError)]
        outcomes = iter(_outcomes(kernel.commands, usable))
        further = []
        for place, ready in zip(open_, prepared, strict=True):
            sent = Sent(None, ready) if isinstance(ready, BusError) else next(outcomes)
            if isinstance(sent.error, LATER):
                continue
            error = _error_of(sent)
            requested = sent.receipt is not None and sent.receipt.status == REQUESTED
            if sent.receipt and not (error or requested) and place.step < len(batch.steps):
                further.append(place.after(sent.receipt))
            else:
                results.append(_result(kernel, batch, place, error, requested=requested))
        open_ = further
    return results


def _error_of(sent: Sent | Foreseen) -> BusError | None:
    """Why an item is not done. A signature on what has changed approves nothing."""
    if sent.receipt and ApprovalOutdated.__name__ in sent.receipt.events:
        return CHANGED_SINCE(OUTDATED)
    return sent.error


def _outcomes(bus: CommandBus, items: Sequence[tuple[Command, Context]]) -> list[Sent]:
    try:
        return bus.execute_batch(items)
    except DATABASE_TROUBLE:
        raise
    except Exception:
        logger.exception("a batch is sent item by item")
        return [_outcome(lambda item=item: bus.execute(*item)) for item in items]  # type: ignore[misc]


def _outcome(act: Callable[[], Receipt]) -> Sent:
    try:
        return Sent(act(), None)
    except BusError as error:
        return Sent(None, error)
    except DATABASE_TROUBLE:
        raise
    except Exception:  # noqa: BLE001 - one item's fault must not stop the others; the log has it
        return Sent(None, BusError(PROGRAM_FAULT))


def _first(kernel: Kernel, batch: Taken, item: Item) -> Place:
    cls = kernel.registry.commands.get(batch.command)
    if cls is None:
        return Place(item, item.step, {})
    stream = kernel.registry.routes[cls].aggregate.stream_of(item.subject)
    return Place(item, item.step, {stream: item.version})


def _places(kernel: Kernel, batch: Taken, item: Item) -> Iterator[Place]:
    """The item at each step that is left. The version that was seen is that before the first."""
    yield _first(kernel, batch, item)
    for step in range(item.step + 1, len(batch.steps) + 1):
        yield Place(item, step, {})


def _prepared(kernel: Kernel, batch: Taken, place: Place) -> tuple[Command, Context] | BusError:
    item, step = place.item, batch.steps[place.step - 1]
    try:
        cls = kernel.registry.command(step.command)
        aggregate = kernel.registry.routes[cls].aggregate
        values = {**step.fields, aggregate.identity: item.subject}
        command = parse(cls, values, from_text=batch.from_text)
    except BusError as error:
        return error
    context = Context(
        actor=batch.sender,
        channel=CHANNEL,
        command_id=command_id(batch.batch_id, item.number, item.attempt, place.step),
        correlation_id=batch.batch_id,
        causation_id=batch.batch_id,
        expected_version=place.seen.get(aggregate.stream_of(item.subject)),
        deferred=True,
    )
    return command, context


def _result(
    kernel: Kernel,
    batch: Taken,
    place: Place,
    error: BusError | None,
    *,
    requested: bool = False,
) -> Result:
    number, step = place.item.number, place.step
    if error is None and requested:
        return Result(number, Outcome.REQUESTED, "", _waiting(kernel, batch, step), step)
    if error is None:
        return Result(number, Outcome.DONE, step=step)
    if error.code == VersionConflict.code:  # also as the log tells it of an earlier run
        outcome = Outcome.CONFLICTED
    elif type(error) is BusError:
        outcome = Outcome.FAILED
    else:
        outcome = Outcome.REFUSED
    sentence = error.sentence
    if len(batch.steps) > 1:
        sentence = f"{_step(kernel, batch, step)}: {sentence}"
    return Result(number, outcome, error.code, sentence, step)


def _waiting(kernel: Kernel, batch: Taken, step: int) -> str:
    if step == len(batch.steps):
        return ""
    return f"{_step(kernel, batch, step)}, needs approval. Later steps are not carried out."


def _step(kernel: Kernel, batch: Taken, step: int) -> str:
    name = batch.steps[step - 1].command
    cls = kernel.registry.commands.get(name)
    return f"Step {step} of {len(batch.steps)}, {cls.declaration.label if cls else name}"
