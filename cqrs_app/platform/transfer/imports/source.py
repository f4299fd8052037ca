"""Reads the bytes of files, plain or compressed, within limits."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from cqrs_app.settings import Settings

SMALL = 16 * 1024**2
"""Bytes that any compressed file may contain, whatever its own size."""

_PACKED: dict[bytes, Any] = {
    b"\xfd7zXZ\x00": lzma.open,
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one file or archive may contain: `rows`, and `unpacked_bytes`, which are also `ratio`
    times its own size at most. Texts of shops compress to between a fifth and a fiftieth,
    decompression bombs to a thousandth. Of the rows set aside, `set_aside_bytes` are kept."""

    rows: int = 1_500_000
    unpacked_bytes: int = 1024**3
    ratio: int = 200
    set_aside_bytes: int = 16 * 1024**2

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(
            rows=settings.max_import_rows,
            unpacked_bytes=settings.max_import_unpacked_bytes,
            ratio=settings.max_import_ratio,
            set_aside_bytes=settings.max_set_aside_bytes,
        )


LIMITS: ContextVar[Limits] = ContextVar("limits of imports", default=Limits())  # noqa: B039
"""Those that hold while a file is read. A profile reads in whatever way it likes, so they are not
handed through it."""


class BadFile(Exception):
    """The file cannot be imported. The text is one sentence. Nothing has been changed."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row, with the name of its file and the number of its last line. The header is line 1.
    `problem` is a sentence if it cannot be a row of its table."""

    file: str
    line: int
    values: tuple[str, ...]
    problem: str = ""


class Bounded:
    """Reads at most `most` bytes of a file, and raises BadFile if there are more."""

    def __init__(self, file: BinaryIO, name: str, most: int) -> None:
        self._file = file
        self._name = name
        self._most = self._left = most

    def read(self, size: int) -> bytes:
        return self._counted(self._file.read(size))

    def readline(self, size: int) -> bytes:
        return self._counted(self._file.readline(size))

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise BadFile(
                f"{self._name} is larger than {self._most / 1024**2:,.0f} MiB when unpacked. "
                "Cut it in parts and import each of them. Nothing was imported."
            )
        return piece


def read_texts(path: Path, longest: int) -> Iterator[SourceRow]:
    """The lines of a UTF-8 file that are not blank, each as a row with one value.

    `longest` is the maximum length of a line, in bytes. Raises BadFile if the file is missing,
    binary or not UTF-8, or has a longer line, too many rows, or too many bytes.
    """
    with unpacked(path) as file:
        for number, line in enumerate(utf8_lines(path, file, longest), start=1):
            check_rows(path, number)
            if line.strip():
                yield SourceRow(path.name, number, (line.strip(),))


@contextmanager
def unpacked(path: Path) -> Iterator[Bounded]:
    """The bytes of a file, plain or compressed. Raises BadFile for anything wrong with it."""
    try:
        most = _most_bytes(path)
        with _open(path) as file:
            yield Bounded(file, path.name, most)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFile(f"{path} cannot be read: {reason}. Nothing was imported.") from error


def _open(path: Path) -> BinaryIO:
    opener = _opener(path)
    return cast(BinaryIO, opener(path, "rb")) if opener else path.open("rb")


def _opener(path: Path) -> Any:
    """The function that opens a compressed file; None for a plain one."""
    with path.open("rb") as file:
        start = file.read(6)
    return next((opener for magic, opener in _PACKED.items() if start.startswith(magic)), None)


def _most_bytes(path: Path) -> int:
    if _opener(path) is None:
        return LIMITS.get().unpacked_bytes
    return most_unpacked(path)


def most_unpacked(path: Path) -> int:
    """Bytes that a compressed file of this size may contain."""
    limits = LIMITS.get()
    return min(limits.unpacked_bytes, max(SMALL, limits.ratio * path.stat().st_size))


def check_rows(path: Path, number: int) -> None:
    """Raise BadFile if a file may not have this many rows."""
    most = LIMITS.get().rows
    if number > most:
        raise too_many_rows(path, most)


def too_many_rows(path: Path, most: int) -> BadFile:
    return BadFile(
        f"{path.name} has more than {most:,} rows. Cut it in parts and import each of them. "
        "Nothing was imported."
    )


def utf8_lines(path: Path, file: Bounded, longest: int) -> Iterator[str]:
    """The lines of a text in UTF-8. Raises BadFile."""
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            raise BadFile(
                f"Line {number} of {path.name} is longer than {longest // 1024} kB. "
                "Nothing was imported."
            )
        if b"\0" in line:
            raise BadFile(f"{path.name} is a binary file, not a text. Nothing was imported.")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise BadFile(
                f"Line {number} of {path.name} is not UTF-8 text. Save the file as UTF-8 and "
                "import it again. Nothing was imported."
            ) from None
