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
    """Moves the claim of an order that is taken over, and leaves out one that is skipped.

    The claim moves first, from whoever has it: of two who take over at once, the second takes over
    from the first. Should the process end before the command is recorded, no record says so."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        command, operator = call.command, call.context.actor.name
        if isinstance(command, TakeOverOrder):
            return take_over(call, command, operator, proceed)
        receipt = proceed(call)
        if isinstance(command, SkipOrder) and not call.dry:
            claims.release(command.order_id, operator)
            runs.skip(command.order_id, operator, end_of_day(call.clock(), zone))
        return receipt

    def take_over(call: Call, command: TakeOverOrder, operator: str, proceed: Proceed) -> Receipt:
        holder = _holder(command.order_id, operator, claims)
        while not (call.dry or claims.take_over(command.order_id, holder, operator)):
            holder = _holder(command.order_id, operator, claims)
        given: dict[str, Any] = {each.name: getattr(command, each.name) for each in fields(command)}
        call.completed = OrderToTakeOver(**given, holder=holder)
        try:
            return proceed(call)
        except BaseException:
            if not call.dry:
                claims.take_over(command.order_id, operator, holder)
            raise

    return check


def end_of_day(now: datetime, zone: ZoneInfo) -> datetime:
    """When the business day of `now` ends, in UTC."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, zone).astimezone(UTC)


def _holder(order_id: str, operator: str, claims: Claims) -> str:
    """Who else has claimed the order. Refused if nobody has."""
    held = claims.held([order_id]).get(order_id)
    if held is None:
        raise NOT_CLAIMED.because(f"Nobody has claimed order {order_id} now.", "Claim it.")
    if held.operator == operator:
        raise YOURS_ALREADY.because(f"You have claimed order {order_id} already.")
    return held.operator


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
