"""A command on a stream of 10,000 events, against one on a stream of 10."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench import product
from bench.case import Sides
from bench.rounds import Plan, median_ms
from cqrs_app.services import services_of

LONG, SHORT = 10_000, 10


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    with product.console(database) as app:
        kernel = services_of(app).kernel
        for order_id, events in (("LONG", LONG), ("SHORT", SHORT)):
            product.place(kernel, order_id)
            product.add_notes(kernel, order_id, events)
        yield {
            "stream of 10,000": median_ms(partial(product.note, kernel, "LONG")),
            "stream of 10": median_ms(partial(product.note, kernel, "SHORT")),
        }
