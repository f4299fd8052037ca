"""Processes side by side that record money for one order."""

from __future__ import annotations

import subprocess
from decimal import Decimal

from flask import Flask

from cqrs_app.areas.orders.commands import PlaceOrder
from cqrs_app.areas.orders.types import OrderLine
from cqrs_app.kernel.assembly import Kernel
from tests.areas.customers.test_erasure import run
from tests.console import environment_of
from tests.processes.running import FLASK, start


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
