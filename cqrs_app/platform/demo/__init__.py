"""A demo shop with orders, stock and expense claims, created through the command bus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cqrs_app import plugins
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.commands.performer import Source
from cqrs_app.kernel.queries.answers import projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.demo.claims import claims
from cqrs_app.platform.demo.poison import DemoNotes
from cqrs_app.platform.demo.removal import REMOVE
from cqrs_app.platform.demo.shift import GuidedShift, guided_shift
from cqrs_app.platform.demo.shop import tasks
from cqrs_app.platform.demo.task import open_shop
from cqrs_app.platform.operators.roles import system_actor


def demo_area(tasks: Sequence[BackgroundTask] = ()) -> Area:
    """The area of the demo shop. Without `tasks` no time passes in it, and nothing follows the
    log."""
    return Area(
        name="demo",
        subscriptions=[DemoNotes()] if tasks else [],
        tasks=tasks,
        answers={GuidedShift: projected(guided_shift)},
        permissions=[REMOVE],
    )


def load_if_empty(kernel: Kernel, orders: int, echo: Callable[[str], None]) -> int:
    """Place this many demo orders, submit some expense claims and send the demo commands of plug-in
    areas, if the store holds no events. Returns how many commands succeeded."""
    kernel.runner.prepare()
    if orders == 0 or kernel.store.head():
        return 0
    actor = system_actor("demo", *kernel.registry.roles["admin"], HISTORY)
    now = datetime.now(UTC)
    sent = [
        *((task.at, task.command) for task in tasks(orders, now)),
        *(pair for each in plugins.installed() if each.demo for pair in each.demo(now)),
    ]
    items = [
        (command, Context(actor=actor, channel="demo", occurred_at=at)) for at, command in sent
    ]
    items += [
        (
            step.command,
            Context(
                actor=actor,
                channel="demo",
                occurred_at=step.at,
                source=Source(performer=step.by),
            ),
        )
        for step in claims(now)
    ]
    done = sum(outcome.receipt is not None for outcome in kernel.commands.execute_batch(items))
    open_shop(kernel)
    kernel.runner.advance_all(kernel.registry.projections)
    echo(f"Demo data loaded: {orders} orders, {done} commands.")
    return done
