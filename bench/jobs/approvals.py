"""Orders that need approval."""

from __future__ import annotations

from playwright.sync_api import expect

from bench.clients.chromium import PATIENCE_MS
from bench.jobs.desk import Desk, numbers, order

MANY = 50


def approve_three(desk: Desk) -> None:
    """Those over a value in one country, by keyboard from Home."""
    who, run = desk.who, next(numbers)
    mine = [f"A{run}-{number}" for number in range(3)]
    # A value that no order of an earlier run has.
    least = 10_000 + run
    desk.do(*(order(order_id, country="Italy", price=least) for order_id in mine))
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


def approve_many(desk: Desk) -> None:
    """One by one on a list that is filtered already."""
    run = next(numbers)
    mine = [f"B{run}-{number}" for number in range(MANY)]
    desk.do(*(order(order_id, country="Ireland", price=run) for order_id in mine))
    filters = f"country=Ireland&min_total={run}&max_total={run}&limit={MANY}"
    desk.who.open(f"/orders?stage=needs_approval&{filters}")
    desk.who.begin()
    _approve_each(desk, mine)


def _approve_each(desk: Desk, mine: list[str]) -> None:
    """Each row in turn; the next one as soon as this one is accepted."""
    for _ in mine:
        with desk.who.page.expect_response("**/commands/ApproveOrder**"):
            desk.who.press("j", "a")


def approve_while_workers_are_killed(desk: Desk) -> None:
    """The page says that nobody carries it out; it is carried out once when workers are back."""
    who, order_id = desk.who, f"K{next(numbers)}"
    desk.do(order(order_id))
    who.open(f"/orders/{order_id}")
    who.begin()
    who.press("a")
    undo, down = who.page.get_by_role("button", name="Undo"), who.page.get_by_text("are down.")
    undo.wait_for()
    desk.background.kill()
    down.wait_for(timeout=PATIENCE_MS)
    expect(undo).to_be_visible()
    assert not _approvals(desk, order_id), "it was carried out by nobody"
    desk.background.start()
    expect(who.page.locator("#order")).to_contain_text("Approved by bench", timeout=PATIENCE_MS)
    expect(down).to_have_count(0, timeout=PATIENCE_MS)
    assert _approvals(desk, order_id) == 1


def _approvals(desk: Desk, order_id: str) -> int:
    events = desk.kernel.store.events_of(f"order-{order_id}")
    return sum(each.type == "OrderApproved" for each in events)
