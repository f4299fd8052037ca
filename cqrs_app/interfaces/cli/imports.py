"""`flask import`: imports a file of history."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from alembic.util import CommandError
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from cqrs_app import database
from cqrs_app.interfaces.cli.acting import owner
from cqrs_app.kernel.errors import BusError
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.platform.transfer.imports.background import REPORT_SECONDS, finish
from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.formats import Dates, DecimalSign, Format
from cqrs_app.platform.transfer.imports.importer import Progress, import_file
from cqrs_app.platform.transfer.imports.mapping import profile_from, stored_mapping
from cqrs_app.platform.transfer.imports.priority import lower_priority
from cqrs_app.platform.transfer.imports.profiles import PROFILES, NoProfile, profile_of
from cqrs_app.platform.transfer.imports.rehearsal import rehearse_file
from cqrs_app.platform.transfer.imports.set_aside import SetAsideRows, as_csv
from cqrs_app.platform.transfer.imports.source import LIMITS, BadFile, Limits
from cqrs_app.platform.transfer.imports.text import ENCODINGS
from cqrs_app.platform.transfer.mappings.queries import ListImportMappings
from cqrs_app.platform.transfer.uploads.work import COMMAND_ENDED, LEASE, Work
from cqrs_app.services import kernel, services

logger = logging.getLogger("countersign")
_MONEY = re.compile(r"-?\d+\.\d+")
SEPARATOR_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class ProfileName(click.ParamType[Profile]):
    """The name of a profile, or a file with a mapping or a profile."""

    name = "profile"

    def convert(self, value: Any, param: Any, ctx: Any) -> Profile:
        try:
            return value if isinstance(value, Profile) else profile_of(value)
        except NoProfile as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: Any, ctx: Any = None) -> str:
        return f"[{'|'.join(sorted(PROFILES))}|FILE.toml|FILE.py]"


@click.command("import")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--profile", type=ProfileName(), help="How the file is read.")
@click.option("--mapping", help="A saved mapping that says how the file is read.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the figures as JSON.",
)
@click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="Detected if not given.")
@click.option(
    "--separator",
    type=click.Choice(list(SEPARATOR_NAMES)),
    help="The character between two values. Detected if not given.",
)
@click.option("--sheet", help="The sheet of a workbook. Without it, the one with the columns.")
@click.option(
    "--decimal",
    type=click.Choice([str(each) for each in DecimalSign]),
    help="The decimal separator of numbers. Detected if not given.",
)
@click.option(
    "--dates",
    type=click.Choice([str(each) for each in Dates]),
    help="The order of day, month and year. Detected if not given.",
)
@with_appcontext
def import_command(
    source: Path,
    profile: Profile | None,
    mapping: str | None,
    dry_run: bool,
    report_file: Path | None,
    encoding: str | None,
    separator: str | None,
    sheet: str | None,
    decimal: str | None,
    dates: str | None,
) -> None:
    """Import FILE, or a folder or archive of files, through the command bus.

    Started again after a kill, it goes on where it was.
    """
    if profile is None and mapping is not None:
        profile = _saved(mapping)
    elif profile is None or mapping is not None:
        raise click.UsageError("Give either --profile or --mapping.")
    given = Format(
        encoding=encoding,
        separator=SEPARATOR_NAMES[separator] if separator else None,
        sheet=sheet,
        decimal=DecimalSign(decimal) if decimal else None,
        dates=Dates(dates) if dates else None,
    )
    LIMITS.set(Limits.of(services.settings))
    run = _rehearse if dry_run else _import
    try:
        figures, problem = run(profile, source, given)
    except BadFile as error:
        raise click.ClickException(str(error)) from error
    except BusError as error:
        raise click.ClickException(error.sentence) from error
    if report_file is not None:
        report_file.write_text(json.dumps(figures, indent=2) + "\n")
    if problem:
        raise click.ClickException(problem)


def _saved(name: str) -> Profile:
    """The profile of a saved mapping."""
    saved = kernel.queries.ask(ListImportMappings(), QueryContext(actor=owner())).value
    contents = {each.name: each.content for each in saved}
    if name not in contents:
        choices = f" There are: {', '.join(contents)}." if contents else ""
        raise click.UsageError(f"There is no mapping {name}.{choices} Nothing was imported.")
    return profile_from(stored_mapping(contents[name]), name)


def _import(profile: Profile, source: Path, given: Format) -> tuple[dict[str, Any], str]:
    database.upgrade(services.settings)
    kernel.runner.prepare()
    with _listed(profile, source) as (work, import_id), _progress("Importing") as shown:
        reported_at = time.monotonic()

        def progress(done: int, total: int) -> None:
            nonlocal reported_at
            shown(done, total)
            if time.monotonic() - reported_at >= REPORT_SECONDS:
                reported_at = time.monotonic()
                work.report(import_id, 1, done, total)

        with lower_priority():
            imported = import_file(kernel, profile, source, progress, given)
        finish(work, import_id, 1, imported)
    figures = imported.report.as_json()
    _tell(figures)
    _write_set_aside(source, "set-aside", imported.headers, imported.set_aside)
    problem = (
        ""
        if imported.report.adds_up
        else (
            "The read models do not show every row that was taken: look at the System page for "
            "parked events, then run the import again."
        )
    )
    return figures, problem


@contextmanager
def _listed(profile: Profile, source: Path) -> Iterator[tuple[Work, str]]:
    """List the import on the Imports page, with the error if it ends with one."""
    work = Work(kernel.engines.write, kernel.clock)
    size, sha256 = 0, ""
    if source.is_file():
        size = source.stat().st_size
        with source.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    import_id = work.begin(profile.name[:60], source.name[:200], size, sha256)
    over = threading.Event()
    threading.Thread(target=_keep, args=(work, import_id, over), daemon=True).start()
    try:
        yield work, import_id
    except (BadFile, BusError) as error:
        work.fail(import_id, 1, str(error))
        raise
    except Exception:
        work.fail(import_id, 1, COMMAND_ENDED)
        raise
    finally:
        over.set()


def _keep(work: Work, import_id: str, over: threading.Event) -> None:
    """Extend the lease of this process while it runs."""
    while not over.wait(LEASE.length.total_seconds() / 6):
        try:
            work.extend(import_id, 1)
        except SQLAlchemyError as error:
            logger.warning("the lease of the import %s could not be extended: %s", import_id, error)


def _rehearse(profile: Profile, source: Path, given: Format) -> tuple[dict[str, Any], str]:
    try:
        database.check(services.settings)
    except CommandError as error:
        raise click.ClickException(
            "The stores do not have this release's tables yet. Nothing was changed. "
            "Run: flask db upgrade"
        ) from error
    with _progress("Rehearsing") as progress, lower_priority():
        rehearsed = rehearse_file(kernel, profile, source, progress, given)
    figures = rehearsed.figures.as_json()
    _tell(figures)
    _write_set_aside(source, "dry-run-set-aside", rehearsed.headers, rehearsed.set_aside)
    click.echo("This was a dry run: nothing was changed.")
    return figures, ""


@contextmanager
def _progress(label: str) -> Iterator[Progress]:
    started = time.monotonic()
    bar: Any  # click's type says nothing of a changing length
    with click.progressbar(length=1, label=label, show_pos=True, item_show_func=_rate) as bar:

        def progress(done: int, everything: int) -> None:
            nonlocal started
            if bar.length != everything:  # the file was read
                bar.length, started = everything, time.monotonic()
                bar.eta_known = True
                bar.start = bar.last_eta = time.time()
            rate = done / max(time.monotonic() - started, 0.001)
            bar.update(done - bar.pos, rate)

        yield progress


def _rate(per_second: float | None) -> str:
    return f"{per_second:.0f} per second" if per_second else ""


def _write_set_aside(
    source: Path,
    ending: str,
    headers: dict[str, tuple[str, ...]],
    set_aside: SetAsideRows,
) -> None:
    """Write one file of rows for each file that has any, with line and reason before its
    columns."""
    folder = services.settings.data_dir / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    name = source.name.split(".")[0]
    for file, header in headers.items():
        rows = SetAsideRows(set_aside.of_file(file))
        part = "" if file == source.name else f"-{file.split('.')[0]}"
        path = folder / f"{name}{part}-{ending}.csv"
        with path.open("wb") as out:
            out.writelines(as_csv({file: header}, rows, LIMITS.get().set_aside_bytes))
        if rows:
            click.echo(f"The rows set aside are in {path}")


def _tell(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        if name == "files":
            for file, format_of_it in value.items():
                read = "; ".join(f"{what} {how}" for what, how in _read_as(format_of_it))
                click.echo(f"{file:<34} {read}")
        elif name == "set_aside_examples":
            for each in value:
                column = f"{each['column']} {each['value']!r}: " if each["column"] else ""
                where = f"{each['file']} line {each['line']}"
                click.echo(f"  {where}: {each['reason']}. {column}{each['sentence']}")
        elif isinstance(value, dict):
            click.echo(name)
            for part, count in value.items():
                click.echo(f"  {part:<32} {_readable(count)}")
        else:
            click.echo(f"{name:<34} {_readable(value)}")


def _readable(value: Any) -> str:
    """A figure with separators between its thousands. Money is text."""
    if isinstance(value, str) and _MONEY.fullmatch(value):
        value = Decimal(value)
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return f"{value:,}" if is_number else str(value)


def _read_as(file: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How a file was read, in words."""
    names = {sign: name for name, sign in SEPARATOR_NAMES.items()}
    for what, how in file.items():
        if what in ("ignored", "missing"):
            yield f"{what} columns", ", ".join(how)
        else:
            yield what, names.get(how, how)
