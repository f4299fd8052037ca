"""The follower in real processes: killed with signal 9 again and again, and two at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest

from cqrs_app.areas.fulfilment.types import Stage
from tests.console import environment_of
from tests.fulfilment.conftest import LAMP, OrderDesk
from tests.payments.conftest import SECRET
from tests.platform.processes import PROJECT

ORDERS = [f"k{number}" for number in range(12)]

# Everything that acts by itself, in one process that never rests.
ACTING = """
from cqrs_app import create_app
app = create_app()
kernel = app.extensions["kernel"]
print("acting", flush=True)
with app.app_context():
    while True:
        kernel.runner.advance("payment_requests")
        kernel.runner.advance("fulfilment_process")
        for task in ("fulfilment", "gateway_requests"):
            for key in kernel.tasks[task]._due():
                kernel.tasks[task].answer(key)
"""


def start(desk: OrderDesk) -> subprocess.Popen[str]:
    more = {"PAYMENT_GATEWAY": "sandbox", "PAYMENT_CALLBACK_SECRET": SECRET}
    made = subprocess.Popen(
        [sys.executable, "-c", ACTING],
        cwd=PROJECT,
        env=environment_of(desk.app, **more),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert made.stdout is not None
    assert made.stdout.readline() == "acting\n"
    return made


FURTHER = (Stage.PAYING, Stage.TO_SHIP)
"""What comes after reserving: a gateway's answer may wait for the lease of one that was killed."""


def stage_in(desk: OrderDesk, order_id: str) -> str:
    return desk.process(order_id).status.stage


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_again_and_again_every_order_arrives_once(order_desk: OrderDesk) -> None:
    order_desk.stock(LAMP, 3 * len(ORDERS))
    for order_id in ORDERS:
        order_desk.approve((LAMP, 3), order_id=order_id)
    chance = random.Random(7)
    for _ in range(4):
        acting = start(order_desk)
        time.sleep(chance.uniform(0.02, 0.4))
        kill(acting)
    both = [start(order_desk), start(order_desk)]
    deadline = time.monotonic() + 15
    while not all(stage_in(order_desk, each) in FURTHER for each in ORDERS):
        assert time.monotonic() < deadline, "the two of them reserve nothing"
        assert [each.poll() for each in both] == [None, None]
        time.sleep(0.05)
    for process in both:
        kill(process)
    order_desk.clock.move(minutes=5)
    order_desk.settle_all()
    assert {order_desk.stage(each) for each in ORDERS} == {Stage.TO_SHIP}
    assert order_desk.item().reserved == dict.fromkeys(ORDERS, 3)
    # Each amount was set aside once and taken once, however often it was asked for.
    assert [asked for asked, _ in order_desk.booked].count("capture") == len(ORDERS)
    assert all(
        order_desk.paid(f"{each}-1").captured == order_desk.process(each).total for each in ORDERS
    )
