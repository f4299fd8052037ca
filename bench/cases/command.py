"""One command through the whole chain of the bus, against the raw writes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import product
from bench.case import Sides
from bench.raw import command as raw
from bench.rounds import Plan, rate
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    with product.console(database) as app, raw.step(database) as step:
        yield {"product": rate(_notes(services_of(app).kernel)), "raw.load": rate(step)}


def _notes(kernel: Kernel) -> Callable[[], None]:
    """Add a note to each of many orders in turn."""
    orders = [f"A{number}" for number in range(raw.STREAMS)]
    for order_id in orders:
        product.place(kernel, order_id)
    following = itertools.cycle(orders)
    return lambda: product.note(kernel, next(following))
