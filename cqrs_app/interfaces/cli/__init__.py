"""The command line: `flask worker`, `flask import`, `flask projections` and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup, FlaskGroup

VERBS = {
    "up": "up:up",
    "sweep": "processes:sweep",
    "import": "imports:import_command",
    "run-import": "uploads:run_import",
    "export": "exports:export",
    "db": "database:database",
    "projections": "projections:projections",
    "events": "events:events",
    "cache": "cache:cache",
    "operators": "operators:operators",
    "tokens": "tokens:tokens",
    "command": "command:command",
    "query": "query:query",
    "catalogue": "catalogue:catalogue",
    "doctor": "doctor:doctor",
}
"""Each verb, and the module of this package and name that it is defined by."""


class Verbs(AppGroup):
    """Loads a verb when it is asked for, so that each starts without what the others need."""

    def __init__(self, name: str, workers: Iterable[str]) -> None:
        super().__init__(name)
        self._workers = {kind.replace(" ", "-"): kind for kind in workers}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*VERBS, *self._workers])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._workers:
            from cqrs_app.interfaces.cli.processes import worker

            return worker(cmd_name, self._workers[cmd_name])
        if cmd_name not in VERBS:
            return None
        module, name = VERBS[cmd_name].split(":")
        found: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return found


def is_looking_for_a_verb() -> bool:
    """Whether `flask` loads the application for one of the verbs above: nobody asks it for a page.

    Flask's own commands, such as `run` and `routes`, load it from a context of their own.
    """
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def init_app(app: Flask, workers: Iterable[str]) -> None:
    """Register every verb, one for each of these kinds of workers among them."""
    app.cli = Verbs(app.name, workers)
