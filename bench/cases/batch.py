"""A batch, from the choice of its items to the last outcome, against one by one; choosing many; and
a list's page while a batch runs."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from bench import product
from bench.case import Sides
from bench.order_shop import load, shop
from bench.rounds import Plan, median_ms, p95_ms, rate
from bench.seeds import orders
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.batches.commands import CancelBatch
from cqrs_app.platform.batches.creating import Batches, NewBatch
from cqrs_app.services import services_of

SIZE = 10_000
FROZEN = 100_000
LISTED = 10_000


@contextmanager
def freezing(plan: Plan) -> Iterator[Sides]:
    """Choosing so many orders by their ids."""
    count = FROZEN // 10 if plan.quick else FROZEN
    with product.console("postgresql") as app:
        kernel, batches = services_of(app).kernel, services_of(app).batches
        orders.fill(kernel.engines.write, count)
        ids = [f"SO{number}" for number in range(1, count + 1)]

        def freeze() -> None:
            batches.create(_of(ids, start=False), product.OPERATOR, "bench")

        yield {"freeze": median_ms(freeze)}


@contextmanager
def beside(plan: Plan) -> Iterator[Sides]:
    """The first page of orders, while a worker sends the items of a batch and while none does."""
    with shop(LISTED) as made:
        page = p95_ms(lambda: load(made.browser, "/orders"))
        kernel, batches = services_of(made.app).kernel, services_of(made.app).batches
        ids = [f"SO{number}" for number in range(1, LISTED + 1)]

        def while_a_batch_runs(seconds: float) -> float:
            with _running(kernel, batches, ids):
                return page(seconds)

        yield {"idle": page, "running": while_a_batch_runs}


@contextmanager
def _running(kernel: Kernel, batches: Batches, ids: list[str]) -> Iterator[None]:
    """A batch whose items a thread sends until the end of the block, and then no more."""
    new, task = _of(ids, start=True), kernel.registry.tasks["batches"]
    batches.create(new, product.OPERATOR, "bench")
    kernel.runner.advance("batches")
    over = threading.Event()

    def send() -> None:
        while not over.is_set() and task.work(kernel, new.batch_id):
            pass

    worker = threading.Thread(target=send)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
        context = Context(actor=product.OPERATOR, channel="bench")
        with suppress(Refused):  # it has ended
            kernel.commands.execute(CancelBatch(batch_id=new.batch_id), context)
        kernel.runner.advance("batches")


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    with product.console(database) as app:
        kernel, batches = services_of(app).kernel, services_of(app).batches
        size = SIZE // 10 if plan.quick else SIZE
        ids = [f"B{number}" for number in range(size)]
        for order_id in ids:
            product.place(kernel, order_id)
        kernel.runner.advance("orders")
        alone = itertools.cycle(ids)
        grown = _grown(_turns(kernel, batches, ids))
        yield {
            "memory": lambda _: grown,
            "batch": rate(lambda: [*_turns(kernel, batches, ids)], per_step=size),
            "one by one": rate(lambda: product.note(kernel, next(alone))),
        }


def _of(ids: list[str], *, start: bool) -> NewBatch:
    return NewBatch(
        batch_id=str(uuid.uuid4()),
        command="AddOrderNote",
        fields={"note": "One of many."},
        named=[(each, None) for each in ids],
        start=start,
    )


def _turns(kernel: Kernel, batches: Batches, ids: list[str]) -> Iterator[None]:
    """Create a batch and send its items, until after each turn of the worker."""
    new, task = _of(ids, start=True), kernel.registry.tasks["batches"]
    batches.create(new, product.OPERATOR, "bench")
    kernel.runner.advance("batches")
    while task.work(kernel, new.batch_id):
        yield


def _grown(turns: Iterator[None]) -> float:
    """The ratio of the memory at the end to the memory after the first turn."""
    this = psutil.Process()
    next(turns, None)
    first = this.memory_info().rss
    for _ in turns:
        pass
    return this.memory_info().rss / first
