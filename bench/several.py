"""Commands from four client processes at once, each on orders of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bench import product
from bench.cases import Group, Line, Sides
from bench.clients import together
from bench.raw import STREAMS
from bench.rounds import Plan
from tests.console import environment_of
from tests.platform.processes import clean_environment

CLIENTS = 4


def commands(kind: str, clients: int, streams: int) -> Sequence[Sequence[str]]:
    """The command lines of so many clients with so many streams in all."""
    each = str(streams // clients)
    names = [f"C{number}N" for number in range(clients)]
    return [[sys.executable, "-m", "bench.client", kind, name, each] for name in names]


def raw_environment() -> Mapping[str, str]:
    """For raw clients: an empty database."""
    return clean_environment({"DATABASE_URL": product.fresh_database()})


@contextmanager
def four(plan: Plan) -> Iterator[Sides]:
    with (
        product.console("postgresql") as app,
        together(commands("product", CLIENTS, STREAMS), environment_of(app)) as ours,
        together(commands("raw", CLIENTS, STREAMS), raw_environment()) as floor,
    ):
        yield {"product": ours, "raw.load": floor}


GROUPS = [
    Group(
        open=four,
        lines=(
            Line(
                name=f"command on postgresql, {CLIENTS} clients",
                of="product",
                to="raw.load",
                least=0.65,
            ),
        ),
    )
]
