"""What the console's processes do: each is forked from one that has the application in memory."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial

from flask import Flask

from cqrs_app import create_app
from cqrs_app.database import upgrade
from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.platform.operators.first import ensure_first_operator
from cqrs_app.processes import background
from cqrs_app.processes.supervisor import Program
from cqrs_app.services import services_of
from cqrs_app.settings import Settings


def load(settings: Settings) -> Flask:
    """The application without its pages, for the processes that are forked from now on."""
    app = create_app(settings, pages=False)
    # A collection writes to every object it looks at, which would copy them into each process.
    gc.collect()
    gc.freeze()
    return app


def prepare_stores(app: Flask, say: Callable[[str], None]) -> str | None:
    """Migrate, make the first operator, load the demo shop; returns a password that was made."""
    services = services_of(app)
    settings = services.settings
    upgrade(settings)
    password = ensure_first_operator(settings, services.accounts)
    load_if_empty(services.kernel, settings.demo_orders, say)
    services.kernel.close()
    return password


def in_background(app: Flask) -> Iterator[Program]:
    """As many workers as the settings say, of each kind that has something to do, and the sweep."""
    services = services_of(app)
    for kind, tasks in services.kernel.registry.workers().items():
        if kind == WORKER or any(task.supervised for task in tasks):
            work = partial(_within, app, partial(background.work, services, kind))
            for number in range(1, services.settings.processes_of(kind) + 1):
                yield Program(f"{kind.capitalize()} {number}", work)
    yield Program("The sweep", partial(_within, app, partial(background.sweep, services)))


def web_server(settings: Settings) -> Program:
    """The pages and the API."""
    return Program("The web server", partial(_serve, settings))


def _within(app: Flask, run: Callable[[], None]) -> None:
    with app.app_context():
        run()


def _serve(settings: Settings) -> None:
    # Here, so that no other process has gunicorn in its memory.
    from cqrs_app.processes.web_server import WebServer

    WebServer(settings).run()
