"""Commands from four client processes at once, each on its own orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench import product
from bench.case import Sides
from bench.clients.sliced import notes, together
from bench.raw.command import STREAMS
from bench.rounds import Plan
from tests.console import environment_of
from tests.processes.running import clean_environment

CLIENTS = 4


def raw_environment() -> Mapping[str, str]:
    """The environment of raw clients: an empty database."""
    return clean_environment({"DATABASE_URL": product.fresh_database()})


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    with (
        product.console("postgresql") as app,
        together(notes("product", CLIENTS, STREAMS), environment_of(app)) as ours,
        together(notes("raw", CLIENTS, STREAMS), raw_environment()) as floor,
    ):
        yield {"product": ours, "raw.load": floor}
