"""Processes side by side: one e-mail address, and a process with another key of personal data."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import msgspec
from flask import Flask
from sqlalchemy import func, select

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store import tables
from cqrs_app.services import services_of
from tests.areas.customers.test_erasure import run
from tests.console import environment_of
from tests.processes.running import FLASK, start


def test_of_two_processes_one_gets_the_address(console: Flask, kernel: Kernel) -> None:
    register = (*FLASK, "command", "RegisterCustomer", "--email", "ana@example.org")
    processes = [
        start(
            *(*register, "--customer-id", name),
            environment=environment_of(console),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for name in ("C1", "C2", "C3")
    ]
    told = [process.communicate(timeout=60)[0] for process in processes]
    codes = [process.returncode for process in processes]
    assert codes.count(0) == 1, told
    assert sum("Another customer has this e-mail address" in each for each in told) == 2, told
    with kernel.engines.write.connect() as connection:
        events = select(func.count()).select_from(tables.events)
        assert connection.execute(events).scalar_one() == 1


def test_a_lost_key_is_told_by_the_doctor_and_nothing_is_skipped(
    make_console: Callable[..., Flask],
) -> None:
    console, lost = (
        make_console(),
        make_console(personal_data_key="not the one they were made with"),
    )
    kernel: Kernel = services_of(console).kernel
    run(kernel, RegisterCustomer(customer_id="C1", name="Ana Lima"))

    def told(app: Flask) -> str:
        result = app.test_cli_runner().invoke(args=["doctor", "--json"])
        found = msgspec.json.decode(result.stdout)["findings"]
        return str(next(each["state"] for each in found if each["name"] == "Personal data"))

    assert (told(console), told(lost)) == ("ok", "fault")
    services_of(lost).kernel.runner.advance("customer_profiles")
    with kernel.engines.read.connect() as connection:
        checkpoint = connection.execute(
            tables.checkpoints.select().where(
                tables.checkpoints.c.subscription == "customer_profiles"
            )
        ).one()
    assert (checkpoint.state, checkpoint.position) == ("failed", 0)
    assert "PERSONAL_DATA_KEY" in checkpoint.error
