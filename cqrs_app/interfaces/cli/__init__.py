"""The command line: `flask worker`, `flask import`, `flask projections` and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from importlib import import_module
from typing import Any

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
    "keys": "keys:keys",
    "command": "command:command",
    "batch": "batch:batch",
    "query": "query:query",
    "catalogue": "catalogue:catalogue",
    "doctor": "doctor:doctor",
    "reconcile": "reconcile:reconcile",
    "statistics": "statistics:statistics",
    "top": "top:top",
    "new": "new:new",
    "demo": "demo:demo",
    "areas": "areas:areas",
    "reference": "reference:reference",
}
"""Each verb, with the module of this package and the name that define it."""


class Verbs(AppGroup):
    """Loads a verb on first use, so that each starts without the imports of the others."""

    def __init__(self, name: str, workers: Iterable[str]) -> None:
        super().__init__(name)
        self._workers = {kind.replace(" ", "-"): kind for kind in workers}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*VERBS, *self._workers])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._workers:
            from cqrs_app.interfaces.cli.processes import worker

            return _in_one_sentence(worker(cmd_name, self._workers[cmd_name]))
        if cmd_name not in VERBS:
            return None
        module, name = VERBS[cmd_name].split(":")
        found: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return _in_one_sentence(found)


def _in_one_sentence(verb: click.Command) -> click.Command:
    """The verb, which exits with a sentence if a database cannot be used."""

    def invoke(ctx: click.Context) -> Any:
        from cqrs_app.interfaces.cli.faults import database_in_one_sentence

        with database_in_one_sentence():
            return verb.invoke(ctx)

    guarded = copy(verb)
    guarded.invoke = invoke  # type: ignore[method-assign]
    return guarded


def is_looking_for_a_verb() -> bool:
    """Whether `flask` loads the application for one of the verbs above, which need no pages.
    Flask's own commands, such as `run` and `routes`, load it from their own context.
    """
    context = click.get_current_context(silent=True)
    return context is not None and isinstance(context.command, FlaskGroup)


def init_app(app: Flask, workers: Iterable[str]) -> None:
    """Register every verb, including one per kind of worker."""
    app.cli = Verbs(app.name, workers)
