"""`flask cache`: forget cached answers."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from redis.exceptions import RedisError

from cqrs_app.services import kernel


@click.group()
def cache() -> None:
    """Look after the query cache."""


@cache.command()
@click.argument("pattern", default="*")
@with_appcontext
def invalidate(pattern: str) -> None:
    """Forget the cached answers of the queries whose name matches PATTERN, such as *Orders."""
    try:
        count = kernel.cache.invalidate(pattern)
    except RedisError as error:
        raise click.ClickException(
            f"Redis does not answer ({error}); nothing was forgotten."
        ) from error
    click.echo(f"{count} cached answers forgotten.")
