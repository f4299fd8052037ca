"""Importing a real shop's month: commands per second against raw writes one by one."""

from __future__ import annotations

import csv
import itertools
import lzma
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import product
from bench.case import Sides, Unavailable
from bench.raw import command as raw
from bench.rounds import Plan, Slice, rate
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.transfer.imports.importer import import_file
from cqrs_app.platform.transfer.imports.profiles.online_retail import HEADER, PROFILE
from cqrs_app.services import services_of
from tests.processes.running import PROJECT

DATA = "BENCH_DATA"
"""The environment variable for another data folder than the default one."""
QUICK_INVOICES = 300


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    """Each round imports the next part of the month, in whole invoices, through `import_file`:
    orders, credit notes, and the customers and products they name. The rate is that of the import's
    report: commands per second, in batches, each with a past time."""
    invoices = _invoices()
    if plan.quick:
        invoices = invoices[:QUICK_INVOICES]
    with (
        tempfile.TemporaryDirectory(prefix="countersign-bench-") as folder,
        product.console(database) as app,
        raw.step(database) as step,
    ):
        parts = list(_parts(Path(folder), invoices, plan.rounds + 1))
        kernel: Kernel = services_of(app).kernel
        yield {"import": _next_of(kernel, iter(parts)), "raw.load": rate(step)}


def _next_of(kernel: Kernel, parts: Iterator[Path]) -> Slice:
    def run(_: float) -> float:
        imported = import_file(kernel, PROFILE, next(parts), lambda done, everything: None)
        assert imported.report.adds_up
        return imported.report.commands_per_second

    return run


def _invoices() -> list[list[list[str]]]:
    """The rows of each invoice of the month, in file order."""
    folder = os.environ.get(DATA, "")
    month = Path(folder or PROJECT.parent / "shared" / "data") / "online-retail" / "2010-12.csv.xz"
    if not month.is_file():
        raise Unavailable(f"there is no {month.name}; {DATA} may name the folder of online-retail/")
    with lzma.open(month, "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        found: dict[str, list[list[str]]] = {}
        for row in rows:
            found.setdefault(row[0], []).append(row)
    return list(found.values())


def _parts(folder: Path, invoices: list[list[list[str]]], count: int) -> Iterator[Path]:
    """The month, split into this many files of the same format."""
    for number in range(count):
        path = folder / f"part-{number}.csv"
        start, end = (len(invoices) * each // count for each in (number, number + 1))
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = itertools.chain.from_iterable(invoices[start:end])
            csv.writer(file).writerows([HEADER, *rows])
        yield path
