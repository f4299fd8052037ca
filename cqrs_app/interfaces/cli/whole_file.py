"""A command's output is written completely or not at all, and every error is one sentence."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
from sqlalchemy.exc import SQLAlchemyError

from cqrs_app.kernel.errors import BusError

STDOUT = Path("-")


@contextmanager
def whole_file(out: Path) -> Iterator[BinaryIO]:
    """The output becomes the file `out` (or goes to standard output). Raises ClickException,
    leaving the old file untouched, for errors of the buses, the database and the disk.
    """
    way: AbstractContextManager[BinaryIO] = _stdout() if out == STDOUT else _beside(out)
    try:
        with way as file:
            yield file
    except (BusError, SQLAlchemyError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise  # whoever reads has had enough: click ends quietly
        raise click.ClickException(f"{_reason(error, out)} {_kept(out)}") from error


@contextmanager
def _stdout() -> Iterator[BinaryIO]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def _beside(out: Path) -> Iterator[BinaryIO]:
    # Under a temporary name until it is complete: nobody can mistake half a file for all of it.
    descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.chmod(0o666 & ~_umask())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _reason(error: Any, out: Path) -> str:
    if isinstance(error, BusError):
        return error.sentence
    if isinstance(error, OSError):
        name = "The standard output" if out == STDOUT else out
        return f"{name} cannot be written: {error.strerror or error}."
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return f"The database did not answer: {lines[0] if lines else type(error).__name__}."


def _kept(out: Path) -> str:
    if out == STDOUT:
        return "What was written until then is not the whole of it. Try again."
    return f"{out} was not touched. Try again."
