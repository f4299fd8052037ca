"""`python -m bench.clients.client product|raw NAME STREAMS`: one client process, see slices.py.

Each adds notes to its own STREAMS orders in turn, which are called after NAME. The product reads
its settings from the environment; raw writes to DATABASE_URL.
"""

from __future__ import annotations

import itertools
import os
import sys

from bench import product
from bench.clients.slices import serve
from bench.raw.command import on_postgres
from cqrs_app import create_app
from cqrs_app.services import services_of


def main(kind: str, name: str, streams: int) -> None:
    if kind == "raw":
        with on_postgres(os.environ["DATABASE_URL"], name, streams) as step:
            serve(step)
        return
    kernel = services_of(create_app()).kernel
    orders = [f"{name}{number}" for number in range(streams)]
    for order_id in orders:
        product.place(kernel, order_id)
    following = itertools.cycle(orders)
    serve(lambda: product.note(kernel, next(following)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
