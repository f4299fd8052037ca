"""`flask demo`: the demo shop."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from cqrs_app.platform.demo.removal import NotRemovable
from cqrs_app.processes import demo_removal
from cqrs_app.processes.preflight import CannotStart, claim_data_folder
from cqrs_app.services import services


@click.group("demo")
def demo() -> None:
    """Look after the demo shop."""


@demo.command()
@click.confirmation_option(
    prompt="Operators, tokens and what was done in the demo shop go with it. Go on?"
)
@with_appcontext
def remove() -> None:
    """Put the demo shop aside, while the console is stopped, so that it starts empty.

    Nothing is deleted: all that is in the data folder is moved into one below it. Refused where
    there is anything that the demo shop did not make. While the console runs, the page /shift does
    the same.
    """
    settings = services.settings
    try:
        with claim_data_folder(settings.data_dir):
            demo_removal.begin(settings, services.kernel)
            aside = demo_removal.finish(settings.data_dir)
    except NotRemovable as error:
        raise click.ClickException(f"{error} Nothing was changed.") from error
    except CannotStart as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The demo shop is in {aside}, and opens again with DATA_DIR={aside}.")
    click.echo("The next start is empty.")
