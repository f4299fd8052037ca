"""Queries and pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from bench import product
from bench.cases import Group, Line, Sides
from bench.rounds import Plan, rate
from cqrs_app.demo import load_if_empty
from cqrs_app.kernel.query_bus import Asker
from cqrs_app.orders.queries.figures import OrdersByDay


@contextmanager
def cached(kind: str, plan: Plan) -> Iterator[Sides]:
    """The chart of the home page over 240 orders, from the cache and from the database."""
    with product.console(kind) as app:
        load_if_empty(app, lambda text: None)
        ask = app.extensions["kernel"].queries.ask
        question = OrdersByDay(until=datetime.now(UTC).date())
        yield {
            "cached": rate(partial(ask, question, Asker(actor=product.OPERATOR))),
            "uncached": rate(partial(ask, question, Asker(actor=product.OPERATOR, cached=False))),
        }


GROUPS = [
    Group(
        open=partial(cached, kind),
        lines=(Line(name=f"cached query on {kind}", of="cached", to="uncached", least=3),),
    )
    for kind in ("postgresql", "sqlite")
]
