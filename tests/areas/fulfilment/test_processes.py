"""The follower in real processes: killed with signal 9 again and again, and two at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.payments.tables import gateway_requests
from tests.areas.fulfilment.conftest import LAMP, OrderDesk
from tests.areas.payments.conftest import SECRET
from tests.console import environment_of
from tests.leases import end_leases
from tests.processes.running import eventually, family, start

pytestmark = pytest.mark.slow

ORDERS = [f"k{number}" for number in range(12)]

# Everything that acts by itself, in processes that never rest: one for each line of its input. They
# are forked, so that the interpreter is started once; each waits for a signal to begin.
ACTING = """
import os, signal, sys
import cqrs_app.composition
from cqrs_app import create_app
from cqrs_app.processes.kinship import bound_to_parent

def act():
    app = create_app()
    kernel = app.extensions["services"].kernel
    print(os.getpid(), flush=True)
    signal.sigwait({signal.SIGUSR1})
    followed = False
    with app.app_context():
        while True:
            kernel.runner.advance("payment_requests")
            did = kernel.runner.advance("fulfilment_process")
            for task in ("fulfilment", "gateway_requests"):
                for key in kernel.tasks[task]._due():
                    kernel.tasks[task].answer(key)
                    did = did or task == "fulfilment"
            if did and not followed:
                print("followed", flush=True)
                followed = True

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
bind = bound_to_parent()
for line in sys.stdin:
    if os.fork() == 0:
        bind()
        act()
"""


class Acting:
    """The processes that act for one desk."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        assert program.stdin is not None
        assert program.stdout is not None
        self.program, self._input, self._output = program, program.stdin, program.stdout

    def ready(self) -> int:
        """The id of a new process, which begins at SIGUSR1."""
        self._input.write("one more\n")
        self._input.flush()
        # Earlier processes may have reported that they followed.
        return int(next(line for line in self._output if line != "followed\n"))

    def kill(self) -> list[str]:
        """Kill all of them; returns their output since they were ready."""
        for child in family(self.program.pid):
            child.kill()
        self.program.kill()
        return self.program.communicate()[0].split()


@contextmanager
def acting(desk: OrderDesk, **settings: str) -> Iterator[Acting]:
    more = {"PAYMENT_GATEWAY": "sandbox", "PAYMENT_CALLBACK_SECRET": SECRET} | settings
    program = start(
        *(sys.executable, "-c", ACTING),
        environment=environment_of(desk.app, **more),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    processes = Acting(program)
    try:
        yield processes
    finally:
        if program.poll() is None:
            processes.kill()


def approve_all(desk: OrderDesk) -> None:
    desk.stock(LAMP, 3 * len(ORDERS))
    for order_id in ORDERS:
        desk.approve((LAMP, 3), order_id=order_id)


def have_arrived(desk: OrderDesk) -> bool:
    return all(desk.process(each).status.stage == Stage.TO_SHIP for each in ORDERS)


def assert_each_arrived_once(desk: OrderDesk) -> None:
    assert {desk.stage(each) for each in ORDERS} == {Stage.TO_SHIP}
    assert desk.item().reserved == dict.fromkeys(ORDERS, 3)
    # Each amount was authorised once and captured once, however often it was requested.
    assert [asked for asked, _ in desk.booked].count("capture") == len(ORDERS)
    assert all(desk.paid(f"{each}-1").captured == desk.process(each).total for each in ORDERS)


def test_killed_again_and_again_every_order_arrives_once(order_desk: OrderDesk) -> None:
    approve_all(order_desk)
    chance = random.Random(7)
    with acting(order_desk) as processes:
        for _ in range(4):
            process = processes.ready()
            os.kill(process, signal.SIGUSR1)
            time.sleep(chance.uniform(0.02, 0.4))
            os.kill(process, signal.SIGKILL)
    # The lease of a killed process expires after a while.
    end_leases(order_desk.kernel.engines.write, gateway_requests.c.taken_until)
    order_desk.settle_all()
    assert_each_arrived_once(order_desk)


def test_two_at_once_see_every_order_through_once(order_desk: OrderDesk) -> None:
    approve_all(order_desk)
    with acting(order_desk) as processes:
        for process in [processes.ready(), processes.ready()]:
            os.kill(process, signal.SIGUSR1)
        assert eventually(lambda: have_arrived(order_desk))
        assert processes.kill() == ["followed", "followed"]
    assert_each_arrived_once(order_desk)
