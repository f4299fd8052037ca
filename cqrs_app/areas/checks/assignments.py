"""Only an order that exists can be assigned, taken over or skipped."""

from __future__ import annotations

from typing import Any

from cqrs_app.areas.assignments.commands import (
    AssignOrder,
    SkipOrder,
    TakeOverOrder,
    UnassignOrder,
)
from cqrs_app.areas.assignments.rules import NO_SUCH_ORDER
from cqrs_app.kernel.effects import Call, Proceed, Receipt


def of_an_order(call: Call, proceed: Proceed) -> Receipt:
    """Refuses the command where there is no such order."""
    command: Any = call.command
    if isinstance(command, AssignOrder | UnassignOrder | TakeOverOrder | SkipOrder):
        stream = f"order-{command.order_id}"
        if stream not in call.existing([stream]):
            raise NO_SUCH_ORDER.because(
                f"There is no order {command.order_id}.", "Check the number."
            )
    return proceed(call)
