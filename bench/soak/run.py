"""`bin/bench --soak MINUTES`: the product as shipped, under half load for this long.

On PostgreSQL: the web server, two workers, the webhook worker and the sweep, as `flask up` starts
them; client processes that place orders and add notes to them at half of the rate that they reach
beside all that; two readers who load Home, the order list and the newest order. Everything runs on
one machine, so the clients take their share of it from the product.

A sample is taken and printed every ten seconds. The first minute is not judged. At the end the load
stops, and the lag must go to zero.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psutil
from flask import Flask
from sqlalchemy import text

from bench import product
from bench.clients.load import Load
from bench.clients.readers import Reader
from bench.processes.background import WORKERS, started
from bench.processes.web import console_server, signed_in
from bench.rounds import percentile
from bench.soak import samples
from bench.soak.samples import Sample
from bench.table import Tally
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.services import services_of
from tests.processes.running import PROJECT, eventually

CLIENTS = 2
READERS = 2
NOTES = 19
"""Per order."""
EVERY_SECONDS = 10.0
WARM_UP_MINUTES = 1.0
CAPACITY_SECONDS = 10.0
PATIENCE_SECONDS = 120.0
PICTURE = PROJECT / "docs" / "images" / "soak.svg"


def run(minutes: float, tally: Tally) -> Iterator[str]:
    """The output, line by line, while the soak runs."""
    with soaking() as soak:
        with soak.readers_reading():
            capacity = soak.clients.capacity(CAPACITY_SECONDS)
            yield (
                f"{capacity:,.0f} commands a second from {CLIENTS} client processes beside "
                f"everything else; {WARM_UP_MINUTES:g} + {minutes:g} minutes at half of it"
            )
            soak.settle()
            yield samples.head()
            taken: list[Sample] = []
            for sample in soak.samples(capacity / 2, WARM_UP_MINUTES + minutes):
                taken.append(sample)
                yield f"{sample}{'  warm-up' if sample.minute <= WARM_UP_MINUTES else ''}"
        waited, lag = soak.settle()
        yield f"load off; lag {lag} after {waited:.1f} s"
    judged = [each for each in taken if each.minute > WARM_UP_MINUTES]
    found = samples.found(judged, lag)
    for line in samples.LINES:
        yield tally.row(line, found)
    PICTURE.write_text(samples.drawn(taken))
    yield f"drawn: {PICTURE.relative_to(PROJECT)}"


@dataclass(frozen=True, slots=True)
class Soak:
    """A whole console under load; `processes` by kind, including those that have child
    processes."""

    kernel: Kernel
    clients: Load
    readers: list[Reader]
    processes: dict[str, list[psutil.Process]]

    @contextmanager
    def readers_reading(self) -> Iterator[None]:
        with ExitStack() as stack:
            for reader in self.readers:
                stack.enter_context(reader.reading())
            yield

    def settle(self) -> tuple[float, int]:
        """Wait until every projection has processed every event, or for PATIENCE_SECONDS. Returns
        the seconds waited and the lag."""
        began = time.monotonic()
        eventually(lambda: not self.lag(), PATIENCE_SECONDS)
        return time.monotonic() - began, self.lag()

    def lag(self) -> int:
        """The number of committed events that the slowest projection has not processed."""
        head = self.kernel.store.head()
        found = self.kernel.runner.cursors("read")
        return max(0, head - min(each.position for each in found.values()))

    def samples(self, pace: float, minutes: float) -> Iterator[Sample]:
        """One sample every EVERY_SECONDS, under load."""
        self._drain()
        with self.clients.at(pace):
            began = last = time.monotonic()
            for number in range(1, round(minutes * 60 / EVERY_SECONDS) + 1):
                time.sleep(max(0.0, began + number * EVERY_SECONDS - time.monotonic()))
                now = time.monotonic()
                yield self._sample(number * EVERY_SECONDS / 60, now - last)
                last = now

    def _sample(self, minute: float, seconds: float) -> Sample:
        commands, pages = self._drain()
        assert commands and pages, "nothing was answered for a whole sample"
        return Sample(
            minute=minute,
            rate=len(commands) / seconds,
            median=percentile(commands, 0.5),
            p99=percentile(commands, 0.99),
            pages_p99=percentile(pages, 0.99),
            lag=self.lag(),
            memory={kind: _megabytes(found) for kind, found in self.processes.items()},
        )

    def _drain(self) -> tuple[list[float], list[float]]:
        """The durations in ms of commands and of pages since the last call."""
        pages = [each for reader in self.readers for each in reader.drained()]
        return self.clients.drained(), pages


@contextmanager
def soaking() -> Iterator[Soak]:
    commands = [*["worker"] * WORKERS, "sweep", "webhook-worker"]
    with (
        product.console("postgresql") as app,
        started(app, *commands) as background,
        console_server(app) as server,
        Load(services_of(app).settings, CLIENTS, NOTES).running() as clients,
    ):
        kernel: Kernel = services_of(app).kernel
        readers = [Reader(signed_in(app, server), lambda: _newest(app)) for _ in range(READERS)]
        processes = {
            "web": [psutil.Process(server.pid)],
            "worker": background[:WORKERS],
            "sweep": background[WORKERS : WORKERS + 1],
        }
        yield Soak(kernel, clients, readers, processes)


def _newest(app: Flask) -> str:
    """The id of the newest order in the list."""
    with services_of(app).kernel.engines.read.connect() as connection:
        newest = text("SELECT order_id FROM orders ORDER BY row_id DESC LIMIT 1")
        return str(connection.execute(newest).scalar_one())


def _megabytes(processes: list[psutil.Process]) -> float:
    """Resident memory of these processes and their descendants, in MB."""
    everyone = [each for one in processes for each in (one, *one.children(recursive=True))]
    return sum(each.memory_info().rss for each in everyone) / 2**20
