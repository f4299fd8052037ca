"""Two processes register customers with one e-mail address: one gets it."""

from __future__ import annotations

import subprocess
import sys

from flask import Flask
from sqlalchemy import func, select

from cqrs_app.kernel import tables
from cqrs_app.kernel.assembly import Kernel
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
