"""`python -m bench.peers.eventsourcing_client STREAMS`: `eventsourcing` with its default settings.

A client process (see slices.py) in the bench's environment, on DATABASE_URL. One step loads an
aggregate and saves one event.
"""

from __future__ import annotations

import itertools
import os
import sys
from urllib.parse import parse_qs, urlsplit

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from bench.clients.slices import serve


class Order(Aggregate):
    @event("Placed")
    def __init__(self) -> None:
        self.notes = 0

    @event("NoteAdded")
    def add_note(self, note: str) -> None:
        self.notes += 1


def main(streams: int) -> None:
    parts = urlsplit(os.environ["DATABASE_URL"])
    application = Application(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": parts.path.lstrip("/"),
            "POSTGRES_HOST": parse_qs(parts.query)["host"][0],
            "POSTGRES_PORT": str(parts.port or 5432),
            "POSTGRES_USER": parts.username or "",
            "POSTGRES_PASSWORD": parts.password or "",
        }
    )
    orders = [Order() for _ in range(streams)]
    for order in orders:
        application.save(order)
    following = itertools.cycle([order.id for order in orders])

    def step() -> None:
        order = application.repository.get(next(following))
        order.add_note("Mind the dog.")
        application.save(order)

    serve(step)


if __name__ == "__main__":
    main(int(sys.argv[1]))
