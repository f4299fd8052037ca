"""What the console's processes run. Each is forked from one that has loaded the application."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial

from flask import Flask

from cqrs_app import create_app
from cqrs_app.database import upgrade
from cqrs_app.kernel.subscriptions.tasks import WORKER
from cqrs_app.platform.audit.commands import RECORD
from cqrs_app.platform.audit.settings_record import record_settings
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.platform.operators.first import ensure_first_operator
from cqrs_app.platform.operators.roles import system_actor
from cqrs_app.processes import background
from cqrs_app.processes.supervisor import Program
from cqrs_app.services import services_of
from cqrs_app.settings import Settings


def load(settings: Settings) -> Flask:
    """The application without pages, for the processes that are forked afterwards."""
    app = create_app(settings, pages=False)
    # A collection writes to the objects it visits, which would copy them into each process.
    gc.collect()
    gc.freeze()
    return app


def prepare_stores(app: Flask, say: Callable[[str], None]) -> str | None:
    """Migrate, load the demo shop, create the first operator. Returns the password if one was
    generated."""
    services = services_of(app)
    settings = services.settings
    upgrade(settings)
    services.kernel.vault.data_keys.make(services.kernel.clock())
    # In this order: once the log holds an operator, the store is not empty.
    load_if_empty(services.kernel, settings.demo_orders, say)
    password = ensure_first_operator(settings, services.accounts)
    record_settings(settings, services.kernel, system_actor("system", RECORD))
    services.mail_addresses.carry_over()
    services.close()
    return password


def in_background(app: Flask) -> Iterator[Program]:
    """The workers of each kind that has something to do, as many as the settings say, and the
    sweep."""
    services = services_of(app)
    for kind, tasks in services.kernel.registry.workers().items():
        if kind == WORKER or any(task.supervised for task in tasks):
            work = partial(_within, app, partial(background.work, services, kind))
            for number in range(1, services.settings.processes_of(kind) + 1):
                yield Program(f"{kind.capitalize()} {number}", work)
    yield Program("The sweep", partial(_within, app, partial(background.sweep, services)))


def web_server(settings: Settings) -> Program:
    """The process that serves pages and API."""
    return Program("The web server", partial(_serve, settings))


def _within(app: Flask, run: Callable[[], None]) -> None:
    with app.app_context():
        run()


def _serve(settings: Settings) -> None:
    # Imported here, so that no other process loads gunicorn.
    from cqrs_app.processes.web_server import WebServer

    WebServer(settings).run()
