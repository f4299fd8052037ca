"""`flask projections snapshot` and `restore`: read models in files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext

from cqrs_app.interfaces.cli.rebuilding import chosen, known, rebuild_in_place
from cqrs_app.kernel.projections.snapshots import Snapshot, UnusableSnapshot, take_snapshot
from cqrs_app.services import kernel, services


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All projections.")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Default: the folder snapshots in DATA_DIR.",
)
@with_appcontext
def snapshot(names: Sequence[str], *, every: bool, folder: Path | None) -> None:
    """Write all rows of the projections NAME into compressed files, one each, for `restore`. They
    hold the personal data that the read models hold: keep them as you keep backups."""
    kernel.runner.prepare()
    folder = folder or services.settings.data_dir / "snapshots"
    for name in chosen(names, every=every, outdated=False):
        with _snapshots_in_shell_words():
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{name}.snapshot.gz"
            projection = kernel.registry.projections[name]
            taken = take_snapshot(projection, kernel.engines.read, kernel.clock(), path)
        rows = sum(each.rows for each in taken.tables.values())
        size = path.stat().st_size / 1e6
        click.echo(f"{path}: {rows:,} rows at position {taken.position:,}, {size:,.1f} MB")


@click.command()
@click.argument(
    "paths",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@with_appcontext
def restore(paths: Sequence[Path]) -> None:
    """Rebuild projections from the snapshots FILE, and replay only the events after each. Pages
    show the old rows until the new ones are complete."""
    kernel.runner.prepare()
    for path in paths:
        with _snapshots_in_shell_words():
            found = Snapshot(path)
            [name] = known([found.header.projection])
            rebuild_in_place(name, found)


@contextmanager
def _snapshots_in_shell_words() -> Iterator[None]:
    try:
        yield
    except UnusableSnapshot as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from error
