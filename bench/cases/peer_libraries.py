"""One command on a short stream: the product, `eventsourcing` and Emmett, one process each.

The work is not equal: the others write one event row (Emmett a stream row as well). The product
also writes its command log, the head with its snapshot and the hash chain, and checks permissions.
All read and append on PostgreSQL with one client and their default settings. There are many
streams, so that they stay short: Emmett and `eventsourcing` read a whole stream each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import product
from bench.case import Sides
from bench.clients.sliced import notes, together
from bench.peers import environments
from bench.rounds import Plan
from tests.console import environment_of
from tests.processes.running import clean_environment

Command = Sequence[str | Path]
Client = Callable[[], Command]
"""Installs what it needs and returns the command line of a client. Raises Unavailable."""


def eventsourcing() -> Command:
    return [environments.python(), "-m", "bench.peers.eventsourcing_client"]


@contextmanager
def sides(name: str, client: Client, plan: Plan) -> Iterator[Sides]:
    streams = 200 if plan.quick else 1_000
    command = [*client(), str(streams)]
    plain = product.fresh_database().replace("postgresql+psycopg:", "postgresql:")
    environment = clean_environment({"DATABASE_URL": plain})
    with (
        product.console("postgresql") as app,
        together(notes("product", 1, streams), environment_of(app)) as ours,
        together([command], environment) as theirs,
    ):
        yield {"product": ours, name: theirs}
