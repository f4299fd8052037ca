"""`flask import`: a file of history into the console."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from cqrs_app import database
from cqrs_app.extensions import kernel
from cqrs_app.imports.importer import Imported, import_file
from cqrs_app.imports.profiles import PROFILES
from cqrs_app.imports.source import BadFile


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", required=True, type=click.Choice(sorted(PROFILES)))
@click.option("--report", "report_file", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def import_command(file: Path, profile: str, report_file: Path | None) -> None:
    """Import FILE through the command bus. Started again after a kill, it goes on where it was."""
    settings = current_app.extensions["settings"]
    database.upgrade(settings)
    kernel.runner.prepare()
    started = time.monotonic()
    bar: Any  # click's type says nothing of a changing length
    with click.progressbar(length=1, label="Importing", show_pos=True, item_show_func=_rate) as bar:

        def progress(done: int, everything: int) -> None:
            bar.length = everything
            rate = done / max(time.monotonic() - started, 0.001)
            bar.update(done - bar.pos, rate)

        try:
            imported = import_file(kernel, PROFILES[profile], file, progress)
        except BadFile as error:
            raise click.ClickException(str(error)) from error
    folder = settings.data_dir / "imports"
    set_aside = folder / f"{file.name.split('.')[0]}-set-aside.csv"
    _write_set_aside(set_aside, PROFILES[profile].header, imported)
    _tell(imported, set_aside)
    if report_file is not None:
        report_file.write_text(json.dumps(imported.report.as_json(), indent=2) + "\n")
    if not imported.report.adds_up:
        raise click.ClickException(
            "The read models do not show every row that was taken: look at the System page for "
            "parked events, then run the import again."
        )


def _rate(per_second: float | None) -> str:
    return f"{per_second:.0f} per second" if per_second else ""


def _write_set_aside(path: Path, header: tuple[str, ...], imported: Imported) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("Line", "Reason", *header))
        for row, reason in imported.set_aside:
            writer.writerow((row.line, reason, *row.values))


def _tell(imported: Imported, set_aside: Path) -> None:
    for name, value in imported.report.as_json().items():
        click.echo(f"{name:<22} {value}")
    if imported.set_aside:
        click.echo(f"The rows set aside are in {set_aside}")
