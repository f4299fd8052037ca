"""`flask db`: the stores' migrations."""

from __future__ import annotations

import click
from alembic.util import CommandError
from flask.cli import with_appcontext

from cqrs_app import database as stores
from cqrs_app import encrypted_files, plugins
from cqrs_app.environment import SettingsError
from cqrs_app.processes.preflight import CannotStart, claim_data_folder
from cqrs_app.services import services

STORE = click.argument("store", type=click.Choice(sorted(stores.STORES)))


@click.group("db")
def database() -> None:
    """Migrate the write and the read store."""


@database.command()
@with_appcontext
def upgrade() -> None:
    """Bring both stores to the newest shape."""
    try:
        stores.upgrade(services.settings)
        services.kernel.vault.data_keys.make(services.kernel.clock())
        services.accounts.record_earlier()
        services.mail_addresses.carry_over()
    except CommandError as error:
        raise click.ClickException(str(error)) from error


@database.command()
@with_appcontext
def encrypt() -> None:
    """Encrypt the files of SQLite, while the console is stopped. Then set SQLITE_ENCRYPTION=true.

    The key of the files is kept in the data folder, wrapped with PERSONAL_DATA_KEY.
    """
    if _convert(encrypt=True):
        click.echo("Set SQLITE_ENCRYPTION=true, and start the console.")


@database.command()
@with_appcontext
def decrypt() -> None:
    """Decrypt the files of SQLite, while the console is stopped. Then unset SQLITE_ENCRYPTION."""
    if _convert(encrypt=False):
        click.echo("Unset SQLITE_ENCRYPTION, and start the console.")


def _convert(*, encrypt: bool) -> bool:
    """Whether any file was converted."""
    settings, engines = services.settings, services.kernel.engines
    engines.dispose()
    try:
        with claim_data_folder(settings.data_dir):
            converted = encrypted_files.convert(settings, encrypt=encrypt)
    except (CannotStart, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    for path in converted:
        click.echo(f"{path} is {'encrypted' if encrypt else 'not encrypted any more'}.")
    if not converted:
        click.echo("There is no file to convert. Nothing was changed.")
    return bool(converted)


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
@with_appcontext
def current() -> None:
    """Show which migration each store has, and which is the newest."""
    for store in stores.STORES:
        has, newest = stores.current(services.settings, store), stores.history(store)[-1][0]
        state = "up to date" if has == newest else f"the newest is {newest}"
        click.echo(f"{store}: {has or 'none'} ({state})")


@database.command()
def history() -> None:
    """List every migration of both stores, the first one first."""
    for store in stores.STORES:
        for revision, sentence in stores.history(store):
            click.echo(f"{revision}  {sentence}")


# A revision may begin with a minus.
@database.command(context_settings={"ignore_unknown_options": True})
@STORE
@click.argument("revision")
@click.confirmation_option(
    prompt="Columns and tables made since are removed with what they hold. Go on?"
)
@with_appcontext
def downgrade(store: str, revision: str) -> None:
    """Take STORE back to an earlier REVISION, such as write_0011, or -1 for the one before.

    Back up first, and stop every process: they expect the newest shape.
    """
    try:
        stores.downgrade(services.settings, store, revision)
    except CommandError as error:
        raise click.ClickException(f"{error}. Nothing was changed.") from error
    click.echo(f"{store}: {stores.current(services.settings, store) or 'none'}")


@database.command()
@STORE
@click.argument("message")
@click.option("--area", default="", help="The plug-in area whose tables have changed.")
@with_appcontext
def revision(store: str, message: str, area: str) -> None:
    """Write a new migration of STORE from what the models say."""
    if area and area not in {each.name for each in plugins.installed()}:
        raise click.UsageError(f"There is no plug-in area called {area}.")
    stores.revise(services.settings, store, message, area)
