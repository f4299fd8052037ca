"""A batch, from the choice of its items to the last outcome, against one by one."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import product
from bench.case import Sides
from bench.rounds import Plan, rate
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.batches.creating import Batches, NewBatch
from cqrs_app.services import services_of

SIZE = 1_000


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    with product.console(database) as app:
        kernel, batches = services_of(app).kernel, services_of(app).batches
        orders = [f"B{number}" for number in range(SIZE)]
        for order_id in orders:
            product.place(kernel, order_id)
        kernel.runner.advance("orders")
        alone = itertools.cycle(orders)
        yield {
            "batch": rate(_batch(kernel, batches, orders), per_step=SIZE),
            "one by one": rate(lambda: product.note(kernel, next(alone))),
        }


def _batch(kernel: Kernel, batches: Batches, orders: list[str]) -> Callable[[], None]:
    task = kernel.registry.tasks["batches"]

    def step() -> None:
        new = NewBatch(
            batch_id=str(uuid.uuid4()),
            command="AddOrderNote",
            fields={"note": "One of many."},
            named=[(each, None) for each in orders],
            start=True,
        )
        batches.create(new, product.OPERATOR, "bench")
        kernel.runner.advance("batches")
        while task.work(kernel, new.batch_id):
            pass

    return step
