"""A demo shop with orders and stock, created through the command bus."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.platform.demo.shop import tasks
from cqrs_app.platform.demo.task import open_shop
from cqrs_app.platform.operators.roles import system_actor


def load_if_empty(kernel: Kernel, orders: int, echo: Callable[[str], None]) -> int:
    """Place this many demo orders if the store holds no events. Returns how many commands
    succeeded."""
    kernel.runner.prepare()
    if orders == 0 or kernel.store.head():
        return 0
    actor = system_actor("demo", *kernel.registry.roles["admin"], HISTORY)
    items = [
        (task.command, Context(actor=actor, channel="demo", occurred_at=task.at))
        for task in tasks(orders, datetime.now(UTC))
    ]
    done = sum(outcome.receipt is not None for outcome in kernel.commands.execute_batch(items))
    open_shop(kernel)
    for name in kernel.registry.projections:
        kernel.runner.advance(name)
    echo(f"Demo data loaded: {orders} orders, {done} commands.")
    return done
