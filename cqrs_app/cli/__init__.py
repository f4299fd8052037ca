"""The command line: `flask worker`, `flask import`, `flask projections` and the rest."""

from __future__ import annotations

from flask import Flask

from cqrs_app.cli.cache import cache
from cqrs_app.cli.catalogue import catalogue
from cqrs_app.cli.command import command
from cqrs_app.cli.database import database
from cqrs_app.cli.doctor import doctor
from cqrs_app.cli.events import events
from cqrs_app.cli.exports import export
from cqrs_app.cli.imports import import_command
from cqrs_app.cli.operators import operators
from cqrs_app.cli.processes import payment_worker, sweep, webhook_worker, worker
from cqrs_app.cli.projections import projections
from cqrs_app.cli.query import query
from cqrs_app.cli.tokens import tokens
from cqrs_app.cli.up import up
from cqrs_app.cli.uploads import run_import

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
