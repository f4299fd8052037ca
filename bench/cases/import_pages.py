"""Pages while a file is imported, against pages of the same console at rest."""

from __future__ import annotations

import csv
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from bench import product
from bench.case import Sides
from bench.clients.browser import Browser
from bench.processes.background import WORKERS, settle, started
from bench.processes.web import console_server, signed_in
from bench.rounds import Plan, Slice, p95_ms
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.platform.transfer.imports.profiles.online_retail import HEADER, PROFILE
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.processes.running import PROJECT, eventually

PAGES = ("/orders", "/", "/payments", "/customers")
INVOICES_PER_SECOND = 6_000
"""More than an import takes: it goes on for as long as pages are looked at."""
UNIT = "ms; order list, Home, payments, customers"


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """One client with one connection looks at four pages in turn. Web server, workers and sweep run
    as shipped, and `flask import` in a process of its own, which is ended after the slice."""
    with (
        tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder,
        product.console(database) as app,
    ):
        kernel: Kernel = services_of(app).kernel
        load_if_empty(kernel, services_of(app).settings.demo_orders, lambda text: None)
        with started(app, *["worker"] * WORKERS, "sweep"), console_server(app) as server:
            look = p95_ms(_looking(signed_in(app, server)))
            yield {"idle": _at_rest(kernel, look), "importing": _importing(app, look, Path(folder))}


def _looking(browser: Browser) -> Callable[[], None]:
    pages = itertools.cycle(PAGES)

    def step() -> None:
        page = next(pages)
        reply = browser.get(page)
        assert reply.status == 200, f"{page} answered {reply.status}"

    return step


def _at_rest(kernel: Kernel, look: Slice) -> Slice:
    def run(seconds: float) -> float:
        settle(kernel)
        return look(seconds)

    return run


def _importing(app: Flask, look: Slice, folder: Path) -> Slice:
    kernel: Kernel = services_of(app).kernel
    numbers = itertools.count(100_000)

    def run(seconds: float) -> float:
        settle(kernel)
        path = _file(folder / "invoices.csv", numbers, int(seconds * INVOICES_PER_SECOND))
        before = kernel.store.head()
        command = ["flask", "--app", "app", "import", str(path), "--profile", PROFILE.name]
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PROJECT,
            env=environment_of(app),
            stdout=subprocess.DEVNULL,
        )
        try:
            assert eventually(lambda: kernel.store.head() > before, 60), "no import began"
            found = look(seconds)
            assert process.poll() is None, "the import ended before the pages were looked at"
        finally:
            process.kill()
            process.wait()
        return found

    return run


def _file(path: Path, numbers: Iterator[int], count: int) -> Path:
    """Invoices of two lines each, with numbers that no file before had."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in itertools.islice(numbers, count):
            for sku in ("22423", "85123A"):
                name, at = f"Item {sku}", "2010-12-01 08:26:00"
                customer = 12_000 + number % 4_000
                writer.writerow([number, sku, name, 6, at, "2.55", customer, "France"])
    return path
