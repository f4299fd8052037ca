"""`flask db`: the stores' migrations."""

from __future__ import annotations

import click
from alembic.util import CommandError
from flask.cli import with_appcontext

from cqrs_app import database as stores
from cqrs_app.services import services


@click.group("db")
def database() -> None:
    """Migrate the write and the read store."""


@database.command()
@with_appcontext
def upgrade() -> None:
    """Bring both stores to the newest shape."""
    stores.upgrade(services.settings)


@database.command()
@with_appcontext
def check() -> None:
    """Fail when the models say something that no migration does."""
    try:
        stores.check(services.settings)
    except CommandError as error:
        raise click.ClickException(str(error)) from error
    click.echo("The migrations match the models.")


@database.command()
@click.argument("store", type=click.Choice(sorted(stores.STORES)))
@click.argument("message")
@with_appcontext
def revision(store: str, message: str) -> None:
    """Write a new migration of STORE from what the models say."""
    stores.revise(services.settings, store, message)
