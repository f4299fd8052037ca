"""`python -m cqrs_app` runs the whole console in the foreground."""

from cqrs_app.interfaces.cli.up import up

up(prog_name="countersign")
