"""Reads the bytes of files, plain or compressed, within limits."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

MAX_UNPACKED = 1024**3
"""Bytes of one file or archive. A small compressed file could otherwise fill any disk or memory."""

MAX_RATIO = 200
SMALL = 16 * 1024**2
"""Above this many bytes, a compressed file may contain at most MAX_RATIO times its own size.
Texts of shops compress to between a fifth and a fiftieth, decompression bombs to a thousandth."""

MAX_ROWS = 1_500_000
"""Rows of one file. They are held in memory, at about 3 kB each."""

_PACKED: dict[bytes, Any] = {
    b"\xfd7zXZ\x00": lzma.open,
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
}


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
    binary or not UTF-8, or has a longer line, more than MAX_ROWS rows, or too many bytes.
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
        return MAX_UNPACKED
    return min(MAX_UNPACKED, max(SMALL, MAX_RATIO * path.stat().st_size))


def check_rows(path: Path, number: int) -> None:
    """Raise BadFile if a file has this many rows."""
    if number > MAX_ROWS:
        raise BadFile(
            f"{path.name} has more than {MAX_ROWS:,} rows. Cut it in parts and import each of "
            "them. Nothing was imported."
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
