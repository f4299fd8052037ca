"""Checks and sends the items of batches. Killed at any point, another process continues: each item
is one command, whose id is made from the batch, the item and the attempt."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from cqrs_app.kernel.assembly import Kernel
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
from cqrs_app.platform.approvals.foresight import needed, policies_of
from cqrs_app.platform.approvals.gate import REQUESTED
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.batches.commands import EndBatch, PauseBatch
from cqrs_app.platform.batches.items import Item, Items, Result, Taken
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
    """The key is the id of a batch; `actor` ends batches, and pauses those whose creator may not
    act any more. With `signers`, the check says which items would need approval."""

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
        Items(kernel.engines.write, kernel.clock).forget_old()

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
        if items.ended_creator(key):
            reason = f"The account or token of {batch.created_by} is no longer active."
            logger.warning("batch %s is paused: %s", key, reason)
            self._decide(kernel, PauseBatch(batch_id=key, reason=reason), key)
            return False
        if taken := items.send(key):
            items.finished(key, _sent(kernel, batch, taken))
            return True
        # First the version: what is decided after it, such as a retry, keeps the batch from ending.
        version = followed_version(kernel.engines.write, key)
        if items.has_waiting(key):
            return True
        if version is not None:
            self._decide(kernel, EndBatch(batch_id=key), key, version)
        return False

    def _decide(
        self, kernel: Kernel, decision: Command, batch_id: str, version: int | None = None
    ) -> None:
        context = Context(
            actor=self._actor,
            channel=CHANNEL,
            causation_id=batch_id,
            expected_version=version,
        )
        try:
            kernel.commands.execute(decision, context)
        except (Refused, VersionConflict) as refused:
            # Somebody decided otherwise in this moment; the subscription follows.
            name = type(decision).declaration.label
            logger.info("batch %s, %s: %s", batch_id, name, refused.sentence)


def command_id(batch_id: str, item: Item) -> str:
    return f"{batch_id}.{item.number}.{item.attempt}"


def _checked(kernel: Kernel, batch: Taken, items: Sequence[Item]) -> list[Result]:
    """What would become of each item now, each decided on top of those before it."""
    prepared = [_prepared(kernel, batch, each) for each in items]
    foreseen = iter(
        kernel.commands.rehearse([each for each in prepared if not isinstance(each, BusError)])
    )
    return [
        _result(item, ready if isinstance(ready, BusError) else next(foreseen).error)
        for item, ready in zip(items, prepared, strict=True)
    ]


def _to_approve(
    kernel: Kernel,
    signers: Signers,
    batch: Taken,
    items: Sequence[Item],
    results: Sequence[Result],
) -> list[Result]:
    """The same, with what a policy applies to: its items would become requests."""
    policies = [each for each in policies_of(kernel) if batch.command in each.commands]
    if not policies:
        return list(results)

    def needs_approval(item: Item) -> bool:
        prepared = _prepared(kernel, batch, item)
        if isinstance(prepared, BusError):
            return False
        try:
            forecast = kernel.commands.foresee(*prepared)
        except BusError as error:
            # Possible only after an item before it.
            logger.info("batch %s, item %s: %s", batch.batch_id, item.number, error.sentence)
            return False
        return bool(needed(kernel, signers, policies, *prepared, forecast))

    return [
        replace(result, outcome=Outcome.REQUESTED)
        if result.outcome is Outcome.DONE and needs_approval(item)
        else result
        for item, result in zip(items, results, strict=True)
    ]


def _effects(
    kernel: Kernel, batch: Taken, items: Sequence[Item], results: Sequence[Result]
) -> dict[int, tuple[Quantity, ...]]:
    """What would follow from the first PREVIEWED items of the batch, where it can be added up."""
    found = {}
    for item, result in zip(items, results, strict=True):
        if item.number > PREVIEWED or result.outcome not in (Outcome.DONE, Outcome.REQUESTED):
            continue
        prepared = _prepared(kernel, batch, item)
        if isinstance(prepared, BusError):
            continue
        try:
            effects = kernel.commands.effects(*prepared)
        except BusError as error:
            # Possible only after an item before it.
            logger.info("batch %s, item %s: %s", batch.batch_id, item.number, error.sentence)
        else:
            found[item.number] = tuple(each for effect in effects for each in effect.quantities)
    return found


def _sent(kernel: Kernel, batch: Taken, items: Sequence[Item]) -> list[Result]:
    """Carry out the command of each item. Those that could not be tried have no result."""
    prepared = [_prepared(kernel, batch, each) for each in items]
    usable = [each for each in prepared if not isinstance(each, BusError)]
    outcomes = iter(_outcomes(kernel.commands, usable))
    results = []
    for item, ready in zip(items, prepared, strict=True):
        sent = Sent(None, ready) if isinstance(ready, BusError) else next(outcomes)
        if not isinstance(sent.error, LATER):
            requested = sent.receipt is not None and sent.receipt.status == REQUESTED
            results.append(_result(item, sent.error, requested=requested))
    return results


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


def _prepared(kernel: Kernel, batch: Taken, item: Item) -> tuple[Command, Context] | BusError:
    try:
        cls = kernel.registry.command(batch.command)
        identity = kernel.registry.routes[cls].aggregate.identity
        command = parse(cls, {**batch.fields, identity: item.subject})
    except BusError as error:
        return error
    context = Context(
        actor=Actor(batch.created_by, batch.permissions),
        channel=CHANNEL,
        command_id=command_id(batch.batch_id, item),
        correlation_id=batch.batch_id,
        causation_id=batch.batch_id,
        expected_version=item.version,
    )
    return command, context


def _result(item: Item, error: BusError | None, *, requested: bool = False) -> Result:
    if error is None:
        return Result(item.number, Outcome.REQUESTED if requested else Outcome.DONE)
    if isinstance(error, VersionConflict):
        outcome = Outcome.CONFLICTED
    elif type(error) is BusError:
        outcome = Outcome.FAILED
    else:
        outcome = Outcome.REFUSED
    return Result(item.number, outcome, error.code, error.sentence)
