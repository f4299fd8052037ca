"""The counts of ten views of orders, as one question without the cache: of filters whose sums the
projection keeps, and of others, which are counted up to a bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench import product
from bench.case import Sides
from bench.order_shop import many
from bench.rounds import Plan, median_ms
from bench.seeds import orders
from cqrs_app.areas.desk.queries.filters import OrderFilters
from cqrs_app.areas.desk.queries.view_counts import CountViews
from cqrs_app.areas.desk.words import NEEDS_ACTION, OrderStage
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.services import services_of

KEPT = (
    OrderFilters(),
    OrderFilters(imported=False, stage=NEEDS_ACTION),
    *(OrderFilters(stage=(stage,)) for stage in NEEDS_ACTION),
    OrderFilters(stage=(OrderStage.DELIVERED,), currency="EUR"),
)
COUNTED = (
    *(OrderFilters(country=each) for each in ("France", "Germany", "Spain", "Norway")),
    *(OrderFilters(country="France", stage=(each,)) for each in (NEEDS_ACTION[0], NEEDS_ACTION[5])),
    OrderFilters(customer_id="C7"),
    OrderFilters(flagged=True),
    OrderFilters(tag="gift"),
    OrderFilters(q="white hanging heart"),
)


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    with product.console("postgresql") as app:
        kernel = services_of(app).kernel
        orders.fill(kernel.engines.write, many(plan))
        yield {
            "kept": median_ms(_asking(kernel, KEPT)),
            "counted": median_ms(_asking(kernel, COUNTED)),
        }


def _asking(kernel: Kernel, views: tuple[OrderFilters, ...]) -> Callable[[], object]:
    context = QueryContext(actor=product.OPERATOR, cached=False)
    return lambda: kernel.queries.ask(CountViews(views=views), context)
