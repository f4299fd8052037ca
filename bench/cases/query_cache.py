"""Queries from the cache and from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from flask import Flask

from bench import product
from bench.case import Sides
from bench.rounds import Plan, rate
from cqrs_app.areas.desk.queries.best import TopCustomers, TopProducts
from cqrs_app.areas.desk.queries.figures import OrdersByDay, OrdersByStage, TodayFigures
from cqrs_app.areas.desk.queries.revenue import RevenueReport
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of

ORDERS, FEWER = 1_000, 240


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """The queries of the home page and the reports, over a demo shop of 1,000 orders, or 240 with
    --quick."""
    with product.console(database, demo_orders=FEWER if plan.quick else ORDERS) as app:
        load_if_empty(
            services_of(app).kernel, services_of(app).settings.demo_orders, lambda text: None
        )
        yield {
            "cached": rate(_asked(app, cached=True)),
            "uncached": rate(_asked(app, cached=False)),
        }


def _asked(app: Flask, *, cached: bool) -> Callable[[], None]:
    ask, today = services_of(app).kernel.queries.ask, datetime.now(UTC).date()
    questions: list[Query] = [
        OrdersByStage(),
        TodayFigures(day=today),
        OrdersByDay(until=today),
        RevenueReport(),
        RevenueReport(by="country"),
        TopProducts(),
        TopCustomers(),
    ]

    def step() -> None:
        for question in questions:
            ask(question, QueryContext(actor=product.OPERATOR, cached=cached))

    return step
