"""The System page over HTTP, on a console whose log has a million events and nothing is behind.

The browser paints what the page holds: its panels are in it, and poll only later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy import update

from bench import product
from bench.case import Sides
from bench.clients.browser import Browser
from bench.processes.web import console_server, signed_in
from bench.rounds import Plan, median_ms
from bench.seeds.big_store import fill
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.store.tables import checkpoints, subscription_cursors
from cqrs_app.services import services_of

EVENTS = 1_000_000
EVENTS_IF_QUICK = 100_000
UNIT = f"ms; {EVENTS:,} events, with --quick {EVENTS_IF_QUICK:,}"


@contextmanager
def sides(database: str, plan: Plan) -> Iterator[Sides]:
    with product.console(database) as app:
        kernel: Kernel = services_of(app).kernel
        fill(kernel, EVENTS_IF_QUICK if plan.quick else EVENTS)
        _stand_at_the_end(kernel)
        with console_server(app) as server:
            yield {"System": median_ms(partial(_open, signed_in(app, server)))}


def _stand_at_the_end(kernel: Kernel) -> None:
    engines, head = kernel.engines, kernel.store.head()
    for table, engine in ((checkpoints, engines.read), (subscription_cursors, engines.write)):
        with engine.begin() as connection:
            connection.execute(update(table).values(position=head))


def _open(browser: Browser) -> None:
    reply = browser.get("/system")
    assert reply.status == 200, f"/system answered {reply.status}"
