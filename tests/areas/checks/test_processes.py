"""Processes side by side that bring in money for the same orders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from decimal import Decimal

import pytest
from flask import Flask

from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.areas.payments.rules import waits_for
from cqrs_app.areas.types import WaitsFor
from cqrs_app.kernel.assembly import Kernel
from tests.areas.customers.test_erasure import run
from tests.areas.fulfilment.conftest import LAMP, MakeDesk, OrderDesk
from tests.areas.fulfilment.test_processes import acting
from tests.console import environment_of
from tests.processes.running import FLASK, eventually, start


def test_of_processes_that_record_the_whole_sum_at_once_one_succeeds(
    console: Flask, kernel: Kernel
) -> None:
    line = OrderLine(sku="LAMP", description="", quantity=4, unit_price=Decimal("2.50"))
    run(kernel, PlaceOrder(order_id="1001", country="Peru", currency="GBP", lines=(line,)))
    record = (*FLASK, "command", "RecordPayment", "--order-id", "1001", "--amount", "10")
    environment = environment_of(console) | {"UNMATCHED_PAYMENTS": "refuse"}
    processes = [
        start(
            *record,
            *("--currency", "GBP", "--method", "bank transfer"),
            *("--payment-id", name, "--reference", name),
            environment=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for name in ("B1", "B2", "B3", "B4")
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes].count(0) == 1, outputs
    assert sum("Nothing was changed." in each for each in outputs) == 3, outputs


ORDERS = [f"r{number}" for number in range(20)]

# A person who records money for the orders that are read from the input. What could be neither done
# nor refused is sent again, as the same command.
RECORDING = """
import sys
from decimal import Decimal
from sqlalchemy.exc import OperationalError
from cqrs_app import create_app
from cqrs_app.areas.payments.commands import RecordPayment
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.errors import Refused, VersionConflict
from cqrs_app.services import services_of
from tests.areas.payments.conftest import ADA

bus = services_of(create_app()).kernel.commands
print("ready", flush=True)
for order_id in sys.stdin:
    order_id = order_id.strip()
    name = f"bank-{order_id}"
    money = {"amount": Decimal("7.50"), "currency": "GBP", "method": "bank transfer"}
    record = RecordPayment(payment_id=name, order_id=order_id, reference=name, **money)
    answer = None
    while answer is None:
        try:
            bus.execute(record, Context(actor=ADA, channel="test", command_id=name))
            answer = "recorded"
        except Refused as refused:
            answer = refused.code
        except (VersionConflict, OperationalError):
            pass
    print(order_id, answer, flush=True)
"""


@pytest.mark.slow
def test_what_a_person_records_while_fulfilment_charges_comes_in_once(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.stock(LAMP, 3 * len(ORDERS))
    for order_id in ORDERS:
        desk.approve((LAMP, 3), order_id=order_id)
    environment = environment_of(desk.app, UNMATCHED_PAYMENTS="refuse")
    person = start(
        *(sys.executable, "-c", RECORDING),
        environment=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with acting(desk, UNMATCHED_PAYMENTS="refuse") as processes:
        worker = processes.ready()
        assert person.stdout is not None
        assert person.stdout.readline() == "ready\n"
        os.kill(worker, signal.SIGUSR1)
        # The last orders first, so that the two meet.
        answers = person.communicate("\n".join(reversed(ORDERS)), timeout=120)[0].splitlines()
        assert eventually(lambda: all(desk.stage(each) == Stage.TO_SHIP for each in ORDERS))
    desk.settle_all()
    assert sorted(each.split()[0] for each in answers) == sorted(ORDERS)
    assert {each.split()[1] for each in answers} <= {"recorded", "beyond_order"}
    for order_id in ORDERS:
        assert kept_for(desk, order_id) == Decimal("7.50"), order_id


def kept_for(desk: OrderDesk, order_id: str) -> Decimal:
    """What came in for an order, of which nothing is still to come."""
    payments = [desk.paid(each) for each in desk.process(order_id).payments]
    assert all(waits_for(each) is WaitsFor.NOBODY for each in payments)
    return sum((each.captured - each.refunded for each in payments), Decimal(0))
