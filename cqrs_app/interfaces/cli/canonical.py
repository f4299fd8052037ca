"""`flask export canonical`: every order and credit note, to be imported again."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

import click
import msgspec
from flask.cli import with_appcontext

from cqrs_app.interfaces.cli.whole_file import STDOUT, whole_file
from cqrs_app.kernel.events.recorded import UnreadableEvent
from cqrs_app.platform.transfer.imports import canonical_csv
from cqrs_app.platform.transfer.imports.canonical import exported
from cqrs_app.platform.transfer.imports.canonical_plain import Plain
from cqrs_app.services import kernel


def _write_csv(documents: Iterable[Plain], file: IO[bytes]) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        return canonical_csv.write(documents, text)
    finally:
        text.detach()  # flushed, and left open for whoever opened it


def _write_json_lines(documents: Iterable[Plain], file: IO[bytes]) -> int:
    count = 0
    for plain in documents:
        file.write(msgspec.json.encode(plain) + b"\n")
        count += 1
    return count


_WRITERS: Mapping[str, Callable[[Iterable[Plain], IO[bytes]], int]] = {
    "csv": _write_csv,
    "jsonl": _write_json_lines,
    "xlsx": canonical_csv.write_workbook_of,
}


@click.command("canonical")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="The new file, or - for the standard output.",
)
@click.option("--format", "kind", type=click.Choice(sorted(_WRITERS)), default="jsonl")
@with_appcontext
def canonical(out: Path, kind: str) -> None:
    """Write every order with its whole life and its payments, and every credit note, as profile
    `countersign` reads them."""
    left_out: list[UnreadableEvent] = []
    with whole_file(out) as file:
        documents = exported(kernel.store, kernel.registry.codec, left_out.append)
        count = _WRITERS[kind](documents, file)
    for error in left_out:
        click.echo(f"Left out: {error}", err=True)
    click.echo(f"{count} orders and credit notes are in {out}", err=out == STDOUT)
