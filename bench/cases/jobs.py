"""What an operator's jobs take: clicks, keys, pages loaded and seconds, in Chromium.

On the demo shop with two workers and the sweep. Clicks, keys and loads do not depend on the
machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from bench import product
from bench.case import Sides
from bench.clients.chromium import Operator, chromium, operator
from bench.jobs.approvals import (
    MANY,
    approve_many,
    approve_three,
    approve_while_workers_are_killed,
)
from bench.jobs.desk import Background, Desk
from bench.jobs.entry import place_with_mistakes
from bench.jobs.finding import correct_address, who_cancelled
from bench.jobs.stock import receive_stock
from bench.jobs.together import (
    approve_while_held,
    approved_by_another,
    hold_what_was_approved,
)
from bench.processes.web import console_server
from bench.rounds import Plan, Slice
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of

EFFORTS = ("clicks", "keys", "loads", "seconds")
MOST = {("approve three over a value", "keys"): 25}
"""The targets."""

JOBS: dict[str, Callable[[Desk], None]] = {
    "approve three over a value": approve_three,
    f"approve {MANY} one by one": approve_many,
    "who cancelled it, what was it before": who_cancelled,
    "e-mail to last order, address and note": correct_address,
    "stock arrives, waiting orders move": receive_stock,
    "approve, workers killed": approve_while_workers_are_killed,
    "approved by another": approved_by_another,
    "approve, held by another": approve_while_held,
    "hold, approved by another": hold_what_was_approved,
    "place 12 lines with mistakes": place_with_mistakes,
}


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    """A side for each effort of each job, such as "approve three, keys"."""
    with (
        chromium() as browser,
        product.console("sqlite", demo_seconds=0) as app,
        ExitStack() as until,
    ):
        kernel: Kernel = services_of(app).kernel
        load_if_empty(kernel, services_of(app).settings.demo_orders, lambda text: None)
        background = Background(app, until)
        server = until.enter_context(console_server(app))
        who, colleague = (operator(browser, app, server, name) for name in ("bench", "ben"))
        desk = Desk(who, colleague, kernel, background)
        yield {
            f"{name}, {effort}": side
            for name, job in JOBS.items()
            for effort, side in _efforts(partial(job, desk), who).items()
        }


def _efforts(job: Callable[[], None], who: Operator) -> dict[str, Slice]:
    """One time the job is done yields a figure of each effort."""
    figures: dict[str, float] = {}

    def figure(effort: str, _: float) -> float:
        if effort not in figures:
            job()
            figures.update({each: getattr(who, each) for each in EFFORTS})
        return figures.pop(effort)

    return {effort: partial(figure, effort) for effort in EFFORTS}
