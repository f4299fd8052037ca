"""`flask import`: imports a file of history."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from alembic.util import CommandError
from flask.cli import with_appcontext

from cqrs_app import database
from cqrs_app.kernel.errors import BusError
from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.importer import Imported, Progress, import_file
from cqrs_app.platform.transfer.imports.profiles import PROFILES, NoProfile, profile_of
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.platform.transfer.imports.set_aside import as_csv
from cqrs_app.platform.transfer.imports.source import BadFile
from cqrs_app.services import kernel, services


class ProfileName(click.ParamType[Profile]):
    """The name of a profile, or a Python file that defines one."""

    name = "profile"

    def convert(self, value: Any, param: Any, ctx: Any) -> Profile:
        try:
            return value if isinstance(value, Profile) else profile_of(value)
        except NoProfile as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: Any, ctx: Any = None) -> str:
        return f"[{'|'.join(sorted(PROFILES))}|FILE.py]"


@click.command("import")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--profile", required=True, type=ProfileName(), help="How the file is read.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the figures as JSON.",
)
@with_appcontext
def import_command(source: Path, profile: Profile, dry_run: bool, report_file: Path | None) -> None:
    """Import FILE, or a folder or archive of files, through the command bus.

    Started again after a kill, it goes on where it was.
    """
    run = _rehearse if dry_run else _import
    try:
        figures, problem = run(profile, source)
    except BadFile as error:
        raise click.ClickException(str(error)) from error
    except BusError as error:
        raise click.ClickException(error.sentence) from error
    if report_file is not None:
        report_file.write_text(json.dumps(figures, indent=2) + "\n")
    if problem:
        raise click.ClickException(problem)


def _import(profile: Profile, source: Path) -> tuple[dict[str, Any], str]:
    settings = services.settings
    database.upgrade(settings)
    kernel.runner.prepare()
    with _progress("Importing") as progress:
        imported = import_file(kernel, profile, source, progress)
    figures = imported.report.as_json()
    _tell(figures)
    for path in _write_set_aside(settings.data_dir / "imports", source, imported):
        click.echo(f"The rows set aside are in {path}")
    problem = (
        ""
        if imported.report.adds_up
        else (
            "The read models do not show every row that was taken: look at the System page for "
            "parked events, then run the import again."
        )
    )
    return figures, problem


def _rehearse(profile: Profile, source: Path) -> tuple[dict[str, Any], str]:
    try:
        database.check(services.settings)
    except CommandError as error:
        raise click.ClickException(
            "The stores do not have this release's tables yet. Nothing was changed. "
            "Run: flask db upgrade"
        ) from error
    with _progress("Rehearsing") as progress:
        figures = rehearse_file(kernel, profile, source, progress).as_json()
    _tell(figures)
    click.echo("This was a dry run: nothing was changed.")
    return figures, ""


@contextmanager
def _progress(label: str) -> Iterator[Progress]:
    started = time.monotonic()
    bar: Any  # click's type says nothing of a changing length
    with click.progressbar(length=1, label=label, show_pos=True, item_show_func=_rate) as bar:

        def progress(done: int, everything: int) -> None:
            bar.length = everything
            rate = done / max(time.monotonic() - started, 0.001)
            bar.update(done - bar.pos, rate)

        yield progress


def _rate(per_second: float | None) -> str:
    return f"{per_second:.0f} per second" if per_second else ""


def _write_set_aside(folder: Path, source: Path, imported: Imported) -> Iterator[Path]:
    """One file of rows for each file that has any, with line and reason before its columns."""
    folder.mkdir(parents=True, exist_ok=True)
    name = source.name.split(".")[0]
    for file, header in imported.headers.items():
        rows = [(row, reason) for row, reason in imported.set_aside if row.file == file]
        part = "" if file == source.name else f"-{file.split('.')[0]}"
        path = folder / f"{name}{part}-set-aside.csv"
        path.write_bytes(as_csv({file: header}, rows))
        if rows:
            yield path


def _tell(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            click.echo(name)
            for part, count in value.items():
                click.echo(f"  {part:<32} {count}")
        else:
            click.echo(f"{name:<34} {value}")
