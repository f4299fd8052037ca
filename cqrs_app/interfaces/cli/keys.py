"""`flask keys`: the keys of the store, and how the master key is replaced."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from cqrs_app import encrypted_files
from cqrs_app.interfaces.cli.sentences import in_one_sentence
from cqrs_app.kernel.privacy.data_keys import WrongPersonalDataKey
from cqrs_app.kernel.privacy.rotation import Rotation
from cqrs_app.services import services

keys = AppGroup("keys", help="The keys that personal data and secrets are sealed with.")

HOW = (
    "The keys of the store are wrapped with PERSONAL_DATA_KEY already. To replace it, set the new "
    "key as PERSONAL_DATA_KEY and the present one as PERSONAL_DATA_KEY_PREVIOUS on every host, "
    "restart the processes, and run this again."
)


@keys.command("list")
@in_one_sentence
def list_keys() -> None:
    """Show what each key of the store is for, when it was made, and what wraps it."""
    data_keys = services.kernel.vault.data_keys
    current, *previous = (each.id for each in data_keys.masters())
    names = {current: "the current", **dict.fromkeys(previous, "the previous")}
    stored = data_keys.list()
    for row in stored:
        by = names.get(row.wrapped_by, "another")
        name = f"{row.purpose} {row.generation}" if row.generation else row.purpose
        click.echo(f"{name:<14} {row.created_at:%Y-%m-%d %H:%M} UTC  under {by} master key")
    if not stored:
        click.echo(
            "The keys are derived from the master key, as in earlier releases. "
            "Replacing it (`flask keys rotate`) makes new ones."
        )
    waiting = _rotation().waiting()
    if waiting:
        click.echo(f"Keys of persons under an earlier key: {waiting:,}. Run `flask keys rotate`.")


@keys.command("rotate")
@in_one_sentence
def rotate() -> None:
    """Replace the master key: wrap the keys of the store with the new one.

    With PERSONAL_DATA_KEY, the new key and PERSONAL_DATA_KEY_PREVIOUS are set on every host before.
    Where the key is a file in the data folder, a new one is made. Run it again if it was stopped.
    """
    settings, rotation = services.settings, _rotation()
    if settings.keeps_personal_data_key and not (rotation.is_due() or rotation.waiting()):
        # Left by a rotation that was stopped at its very end.
        settings.drop_previous_key()
        settings.renew_kept_key()
    if not (rotation.is_due() or rotation.waiting()):
        raise click.ClickException(HOW)
    try:
        # First: as long as keys of the store are due, a rotation that was stopped is not over.
        encrypted_files.wrap_again(settings)
        done = rotation.run(lambda count: click.echo(f"Keys of persons: {count:,}", err=True))
    except WrongPersonalDataKey as error:
        raise click.ClickException(str(error)) from error
    settings.drop_previous_key()
    click.echo(f"Wrapped again: {done.of_store} keys of the store, {done.of_persons:,} of persons.")
    click.echo(
        "The previous master key opens nothing any more. Backups made before still need it: keep "
        "it with them. Remove PERSONAL_DATA_KEY_PREVIOUS, if it is set, and restart the processes. "
        "Operators sign in again."
    )


def _rotation() -> Rotation:
    kernel = services.kernel
    return Rotation(kernel.engines.write, kernel.vault.data_keys, kernel.clock)
