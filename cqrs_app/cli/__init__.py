"""The command line: `flask worker`, `flask import`, `flask projections` and the rest."""

from __future__ import annotations

from flask import Flask

from cqrs_app.cli.cache import cache
from cqrs_app.cli.database import database
from cqrs_app.cli.events import events
from cqrs_app.cli.imports import import_command
from cqrs_app.cli.operators import operators
from cqrs_app.cli.processes import sweep, webhook_worker, worker
from cqrs_app.cli.projections import projections
from cqrs_app.cli.up import up


def init_app(app: Flask) -> None:
    """Register every command."""
    processes = (up, worker, webhook_worker, sweep)
    tools = (import_command, database, projections, events, cache, operators)
    for command in (*processes, *tools):
        app.cli.add_command(command)
