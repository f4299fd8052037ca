"""What an operator's jobs take: clicks, keys, pages loaded and seconds, in Chromium.

Each job is done as somebody would who knows the console, by keyboard where that is shorter, on the
demo shop with two workers and the sweep. Clicks, keys and loads do not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import count

from playwright.sync_api import expect

from bench import product
from bench.case import Sides
from bench.clients.chromium import PATIENCE_MS, Operator, chromium, operator
from bench.processes.background import WORKERS, settle, started
from bench.processes.web import console_server
from bench.rounds import Plan, Slice
from cqrs_app.areas.orders.commands import ApproveOrder, CancelOrder, HoldOrder, PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of

EFFORTS = ("clicks", "keys", "loads", "seconds")
MANY = 50
MOST = {("approve three over a value", "keys"): 25}
"""The targets."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Desk:
    """An operator at a console that others change too."""

    who: Operator
    kernel: Kernel

    def do(self, *commands: Command) -> None:
        """Somebody else, until every list shows it."""
        for command in commands:
            self.kernel.commands.execute(command, product.context())
        settle(self.kernel)


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    """A side for each effort of each job, such as "approve three, keys"."""
    with (
        chromium() as browser,
        product.console("sqlite", demo_seconds=0) as app,
        started(app, *["worker"] * WORKERS, "sweep"),
        console_server(app) as server,
    ):
        kernel: Kernel = services_of(app).kernel
        load_if_empty(kernel, services_of(app).settings.demo_orders, lambda text: None)
        desk = Desk(operator(browser, app, server), kernel)
        yield {
            f"{name}, {effort}": side
            for name, job in JOBS.items()
            for effort, side in _efforts(partial(job, desk), desk.who).items()
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


def _approve_three(desk: Desk) -> None:
    """Those over a value in one country, by keyboard from Home."""
    who, run = desk.who, next(_numbers)
    mine = [f"A{run}-{number}" for number in range(3)]
    # A value that no order of an earlier run has.
    least = 10_000 + run
    desk.do(*(_order(order_id, country="Italy", price=least) for order_id in mine))
    who.open("/")
    who.begin()
    who.press("Tab", "Enter", "Tab", "Enter")
    who.page.wait_for_url("**/orders?stage=needs_approval**")
    who.press("f")
    who.type("It")
    who.press("Tab", "Tab")
    who.type(str(least))
    who.press("Enter")
    expect(who.page.locator("main [data-row]")).to_have_text(mine, timeout=PATIENCE_MS)
    _approve_each(desk, mine)


def _approve_many(desk: Desk) -> None:
    """One by one on a list that is filtered already."""
    run = next(_numbers)
    mine = [f"B{run}-{number}" for number in range(MANY)]
    desk.do(*(_order(order_id, country="Ireland", price=run) for order_id in mine))
    filters = f"country=Ireland&min_total={run}&max_total={run}&limit={MANY}"
    desk.who.open(f"/orders?stage=needs_approval&{filters}")
    desk.who.begin()
    _approve_each(desk, mine)


def _approve_each(desk: Desk, mine: list[str]) -> None:
    """Each row in turn; the next one as soon as this one is accepted."""
    for _ in mine:
        with desk.who.page.expect_response("**/commands/ApproveOrder**"):
            desk.who.press("j", "a")


def _who_cancelled(desk: Desk) -> None:
    """Who cancelled an order, and what it was before: found by its number, then one entry back."""
    who, order_id = desk.who, f"C{next(_numbers)}"
    desk.do(
        _order(order_id),
        HoldOrder(order_id=order_id, reason=HoldReason.OTHER),
        CancelOrder(order_id=order_id, reason=CancelReason.FRAUD),
    )
    who.open("/")
    who.begin()
    who.press("/")
    who.page.get_by_role("dialog").get_by_role("searchbox").wait_for()
    who.type(order_id)
    who.press("Enter")
    who.page.wait_for_url(f"**/orders/{order_id}**")
    expect(who.page.locator("#timeline")).to_contain_text("bench", timeout=PATIENCE_MS)
    who.click(who.page.locator("#timeline").get_by_role("link", name="View").nth(1))
    expect(who.page.locator("main")).to_contain_text("On hold", timeout=PATIENCE_MS)


def _approved_by_another(desk: Desk) -> None:
    """Two people approve the same order: the second sees it without doing anything."""
    who, order_id = desk.who, f"D{next(_numbers)}"
    desk.do(_order(order_id))
    who.open(f"/orders/{order_id}")
    who.begin()
    desk.do(ApproveOrder(order_id=order_id))
    status = who.page.locator("#order .status").first
    expect(status).not_to_have_text("Needs approval", timeout=PATIENCE_MS)


JOBS: dict[str, Callable[[Desk], None]] = {
    "approve three over a value": _approve_three,
    f"approve {MANY} one by one": _approve_many,
    "who cancelled it, what was it before": _who_cancelled,
    "approved by another": _approved_by_another,
}


def _order(order_id: str, country: str = "France", price: int = 10) -> PlaceOrder:
    line = OrderLine(sku="85123A", quantity=1, unit_price=Decimal(price))
    return PlaceOrder(order_id=order_id, country=country, currency="EUR", lines=(line,))
