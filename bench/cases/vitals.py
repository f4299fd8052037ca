"""Core Web Vitals of what operators open and do all day, in Chromium: see clients/chromium.py.

On the demo shop on SQLite, and on a console with many orders on PostgreSQL, each with two workers
and the sweep. Orders that are worked on are placed beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count

from playwright.sync_api import expect

from bench import product
from bench.case import Sides
from bench.clients.chromium import PATIENCE_MS, Operator, chromium, operator
from bench.processes.background import WORKERS, settle, started
from bench.processes.web import console_server
from bench.rounds import Plan, Slice
from bench.seeds import orders
from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of

SHOPS = {"demo shop": "sqlite", "many orders": "postgresql"}
FILTERED = "/orders?stage=needs_approval&country=France&min_total=10"
_numbers = count(1)

Visit = Callable[[Operator, Kernel], None]


def many(plan: Plan) -> int:
    return 10_000 if plan.quick else 100_000


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    """A side for each metric of each visit in each shop, such as "Home, LCP, demo shop"."""
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        found: dict[str, Slice] = {}
        for shop, database in SHOPS.items():
            app = stack.enter_context(product.console(database, demo_seconds=0))
            kernel: Kernel = services_of(app).kernel
            if shop == "many orders":
                orders.fill(kernel.engines.write, many(plan))
            else:
                load_if_empty(kernel, services_of(app).settings.demo_orders, lambda text: None)
            stack.enter_context(started(app, *["worker"] * WORKERS, "sweep"))
            server = stack.enter_context(console_server(app))
            who = operator(browser, app, server)
            for name, visit in VISITS.items():
                for metric, slice_ in _metrics(partial(visit, who, kernel), who).items():
                    found[f"{name}, {metric}, {shop}"] = slice_
        yield found


def _metrics(visit: Callable[[], None], who: Operator) -> dict[str, Slice]:
    """One visit yields a figure of each metric."""
    figures: dict[str, float] = {}

    def figure(metric: str, _: float) -> float:
        if metric not in figures:
            visit()
            seen = who.vitals()
            figures.update(LCP=seen.lcp, INP=seen.inp, CLS=seen.cls)
        return figures.pop(metric)

    return {metric: partial(figure, metric) for metric in ("LCP", "INP", "CLS")}


def _home(who: Operator, kernel: Kernel) -> None:
    who.open("/")
    who.click("#home-trends summary")


def _orders(who: Operator, kernel: Kernel) -> None:
    who.open("/orders")
    who.press("j", "j")


def _order(who: Operator, kernel: Kernel) -> None:
    who.open(f"/orders/{_placed(kernel)}")
    who.press("n")
    who.page.get_by_role("dialog").get_by_role("textbox").wait_for()
    who.press("Escape")


def _place_order(who: Operator, kernel: Kernel) -> None:
    who.open("/commands/PlaceOrder")
    who.page.get_by_label("Customer name").focus()
    who.type("Anna")
    who.click(who.page.get_by_role("button", name="Add line"))


def _filtered(who: Operator, kernel: Kernel) -> None:
    who.open(FILTERED)
    who.press("f", "Escape")


def _approval(who: Operator, kernel: Kernel) -> None:
    who.open(f"/orders/{_placed(kernel)}")
    who.press("a")
    who.page.get_by_role("button", name="Undo").first.wait_for()


def _approval_by_another(who: Operator, kernel: Kernel) -> None:
    order_id = _placed(kernel)
    who.open(f"/orders/{order_id}")
    kernel.commands.execute(ApproveOrder(order_id=order_id), product.context())
    status = who.page.locator("#order .status").first
    expect(status).not_to_have_text("Needs approval", timeout=PATIENCE_MS)


VISITS: dict[str, Visit] = {
    "Home": _home,
    "Orders": _orders,
    "order": _order,
    "place order": _place_order,
    "filtered list": _filtered,
    "approval": _approval,
    "approval by another": _approval_by_another,
}


def _placed(kernel: Kernel) -> str:
    """The number of an order that needs approval and that lists show."""
    order_id = f"V{next(_numbers)}"
    product.place(kernel, order_id)
    settle(kernel)
    return order_id
