"""The command line: `flask worker`, `flask import`, `flask projections` and the rest."""

from __future__ import annotations

from flask import Flask

from cqrs_app.interfaces.cli.cache import cache
from cqrs_app.interfaces.cli.catalogue import catalogue
from cqrs_app.interfaces.cli.command import command
from cqrs_app.interfaces.cli.database import database
from cqrs_app.interfaces.cli.doctor import doctor
from cqrs_app.interfaces.cli.events import events
from cqrs_app.interfaces.cli.exports import export
from cqrs_app.interfaces.cli.imports import import_command
from cqrs_app.interfaces.cli.operators import operators
from cqrs_app.interfaces.cli.processes import payment_worker, sweep, webhook_worker, worker
from cqrs_app.interfaces.cli.projections import projections
from cqrs_app.interfaces.cli.query import query
from cqrs_app.interfaces.cli.tokens import tokens
from cqrs_app.interfaces.cli.up import up
from cqrs_app.interfaces.cli.uploads import run_import

COMMANDS = (
    up,
    worker,
    webhook_worker,
    payment_worker,
    sweep,
    import_command,
    run_import,
    export,
    database,
    projections,
    events,
    cache,
    operators,
    tokens,
    command,
    query,
    catalogue,
    doctor,
)


def init_app(app: Flask) -> None:
    """Register every command."""
    for each in COMMANDS:
        app.cli.add_command(each)
