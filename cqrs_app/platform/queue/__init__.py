"""The queue: orders are worked on one by one, by several people who do not get in each other's
way. Claims are leases, not events: only what was taken over or skipped is recorded."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from cqrs_app.areas.assignments.assignment import OrderToTakeOver
from cqrs_app.areas.assignments.commands import SkipOrder, TakeOverOrder
from cqrs_app.areas.assignments.rules import NOT_CLAIMED, YOURS_ALREADY
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.middleware import Middleware, Proceed
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.queue.claims import Claims
from cqrs_app.platform.queue.runs import Runs


def queue_area(claims: Claims | None, runs: Runs | None, zone: ZoneInfo) -> Area:
    """The area; without the stores of claims it lists what there is."""
    if claims is None or runs is None:
        return Area(name="queue")
    return Area(
        name="queue", tasks=[ForgetLeases(claims, runs)], middleware=[follow(claims, runs, zone)]
    )


def follow(claims: Claims, runs: Runs, zone: ZoneInfo) -> Middleware:
    """Moves the claim of an order that is taken over, and leaves out one that is skipped. Should
    the process end between the two, the claim stays where it was: take over again."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command, operator = call.command, call.context.actor.name
        if isinstance(command, TakeOverOrder):
            call.completed = _with_holder(command, operator, claims)
        receipt = proceed(call)
        if call.dry:
            return receipt
        if isinstance(command, TakeOverOrder):
            claims.take_over(command.order_id, operator)
        elif isinstance(command, SkipOrder):
            claims.release(command.order_id, operator)
            runs.skip(command.order_id, operator, end_of_day(call.clock(), zone))
        return receipt

    return check


def end_of_day(now: datetime, zone: ZoneInfo) -> datetime:
    """When the business day of `now` ends, in UTC."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, zone).astimezone(UTC)


def _with_holder(command: TakeOverOrder, operator: str, claims: Claims) -> OrderToTakeOver:
    held = claims.held([command.order_id]).get(command.order_id)
    if held is None:
        raise NOT_CLAIMED.because(f"Nobody has claimed order {command.order_id} now.", "Claim it.")
    if held.operator == operator:
        raise YOURS_ALREADY.because(f"You have claimed order {command.order_id} already.")
    given: dict[str, Any] = {each.name: getattr(command, each.name) for each in fields(command)}
    return OrderToTakeOver(**given, holder=held.operator)


class ForgetLeases(BackgroundTask):
    """Keeps the tables of claims small."""

    name: ClassVar[str] = "queue"
    sends_commands: ClassVar[bool] = False

    def __init__(self, claims: Claims, runs: Runs) -> None:
        self._claims, self._runs = claims, runs

    def due(self, kernel: Any) -> list[str]:
        return []

    def work(self, kernel: Any, key: str) -> bool:
        return False

    def housekeep(self, kernel: Any) -> None:
        self._claims.forget_old()
        self._runs.forget_old()
