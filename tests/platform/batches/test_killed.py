"""A batch whose workers are killed at any moment: each item is done once, and the log agrees."""

from __future__ import annotations

import random
import signal
import time

import pytest

from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.platform.batches.commands import StartBatch
from cqrs_app.platform.batches.words import BatchState
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import process_of, wait_until
from tests.platform.batches.conftest import Shop

ORDERS = 500
KILLS = 3


@pytest.mark.slow
def test_each_item_has_one_outcome_though_workers_are_killed(make_console: MakeConsole) -> None:
    shop = Shop(make_console(fulfilment=False))
    ids = [f"K-{number}" for number in range(ORDERS)]
    shop.place(*ids)
    approved_before = ids[::50]
    for order_id in approved_before:
        shop.run(ApproveOrder(order_id=order_id))
    batch_id = shop.create("ApproveOrder", ids)
    shop.decide(StartBatch(batch_id=batch_id))
    chance = random.Random(ORDERS)
    for _ in range(KILLS):
        with process_of(shop.app, "worker") as worker, process_of(shop.app, "sweep") as sweep:
            seen = shop.batch(batch_id).row.finished
            wait_until(
                lambda seen=seen: shop.batch(batch_id).row.finished > seen or ended(shop, batch_id)
            )  # type: ignore[misc]
            time.sleep(chance.random() / 20)
            for process in (worker, sweep):
                process.send_signal(signal.SIGKILL)
                process.wait()
    with process_of(shop.app, "sweep"):
        wait_until(lambda: ended(shop, batch_id), 90)
    outcomes = {name: str(each.outcome) for name, each in shop.items(batch_id).items()}
    assert len(outcomes) == ORDERS
    for order_id in ids:
        assert shop.events(order_id).count("OrderApproved") == 1
        known = "refused" if order_id in approved_before else "done"
        assert outcomes[order_id] == known
    entries = [shop.kernel.log.find(f"{batch_id}.{number}.1") for number in range(1, ORDERS + 1)]
    assert [entry and entry.outcome for entry in entries] == [
        "refused" if order_id in approved_before else "succeeded" for order_id in ids
    ]


def moved(shop: Shop, batch_id: str, seen: int) -> bool:
    return shop.batch(batch_id).row.finished > seen or ended(shop, batch_id)


def ended(shop: Shop, batch_id: str) -> bool:
    return shop.batch(batch_id).row.state is BatchState.ENDED
