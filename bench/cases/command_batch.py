"""Commands in batches, against one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import product
from bench.case import Sides
from bench.rounds import Plan, rate
from cqrs_app.services import services_of

SIZE = 1_000


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    with product.console(database) as app:
        kernel = services_of(app).kernel
        for order_id in ("BATCH", "ALONE"):
            product.place(kernel, order_id)
        yield {
            "batch": rate(partial(product.add_notes, kernel, "BATCH", SIZE), per_step=SIZE),
            "one by one": rate(partial(product.note, kernel, "ALONE")),
        }
