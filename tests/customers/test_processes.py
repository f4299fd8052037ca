"""Processes side by side: one e-mail address, and a process with another key of personal data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import msgspec
from flask import Flask
from sqlalchemy import func, select

from cqrs_app.areas.customers.commands import RegisterCustomer
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store import tables
from tests.customers.test_erasure import run
from tests.platform.processes import PROJECT, clean_environment


def test_of_two_processes_one_gets_the_address(console: Flask, kernel: Kernel) -> None:
    settings = console.extensions["settings"]
    environment = clean_environment(
        {
            "DATA_DIR": str(settings.data_dir),
            "DATABASE_URL": settings.database_url,
            "READ_DATABASE_URL": settings.read_database_url,
            "REDIS_URL": console.extensions["redis_url"],
            "SECRET_KEY": settings.secret_key,
        }
    )
    names = ("C1", "C2", "C3")
    arguments = [sys.executable, "-m", "flask", "--app", "app", "command", "RegisterCustomer"]
    processes = [
        subprocess.Popen(
            [*arguments, "--customer-id", name, "--email", "ana@example.org"],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in names
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
    kernel: Kernel = console.extensions["kernel"]
    run(kernel, RegisterCustomer(customer_id="C1", name="Ana Lima"))

    def told(app: Flask) -> str:
        result = app.test_cli_runner().invoke(args=["doctor", "--json"])
        found = msgspec.json.decode(result.stdout)["findings"]
        return str(next(each["state"] for each in found if each["name"] == "Personal data"))

    assert (told(console), told(lost)) == ("ok", "fault")
    lost.extensions["kernel"].runner.advance("customer_profiles")
    with kernel.engines.read.connect() as connection:
        checkpoint = connection.execute(
            tables.checkpoints.select().where(
                tables.checkpoints.c.projection == "customer_profiles"
            )
        ).one()
    assert (checkpoint.state, checkpoint.position) == ("failed", 0)
    assert "PERSONAL_DATA_KEY" in checkpoint.error
