"""Reads a delimited file strictly: what cannot be trusted as a whole is refused as a whole."""

from __future__ import annotations

import csv
import gzip
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

LONGEST_LINE = 64 * 1024
"""Bytes; a longer line is no row of any shop's file."""

_PACKED: dict[bytes, Any] = {b"\xfd7zXZ\x00": lzma.open, b"\x1f\x8b": gzip.open}


class BadFile(Exception):
    """The file cannot be imported; the text is one sentence. Nothing has been changed."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row with the number of the line it ends on; the header is line 1."""

    line: int
    values: tuple[str, ...]


def read_rows(path: Path, header: Sequence[str]) -> Iterator[SourceRow]:
    """Every row below the header of a CSV file in UTF-8, plain or packed as .gz or .xz.

    Raises BadFile when the file is missing, empty, binary, not UTF-8, has another header or a
    line longer than LONGEST_LINE.
    """
    try:
        with _open(path) as file:
            reader = csv.reader(_lines(path, file), strict=True)
            first = next(reader, None)
            if first is None:
                raise BadFile(f"{path.name} is empty. Nothing was imported.")
            if first != list(header):
                raise BadFile(
                    f"{path.name} does not start with the columns of this profile "
                    f"({', '.join(header)}). Nothing was imported."
                )
            for values in reader:
                yield SourceRow(reader.line_num, tuple(values))
    except csv.Error as error:
        raise BadFile(f"{path.name} is not a CSV file: {error}. Nothing was imported.") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFile(f"{path} cannot be read: {reason}. Nothing was imported.") from error


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        start = file.read(6)
    for magic, opener in _PACKED.items():
        if start.startswith(magic):
            return cast(BinaryIO, opener(path, "rb"))
    return path.open("rb")


def _lines(path: Path, file: BinaryIO) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise BadFile(
                f"Line {number} of {path.name} is longer than {LONGEST_LINE // 1024} kB. "
                "Nothing was imported."
            )
        if b"\0" in line:
            raise BadFile(f"{path.name} is a binary file, not a CSV file. Nothing was imported.")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise BadFile(
                f"Line {number} of {path.name} is not UTF-8 text. Save the file as UTF-8 and "
                "import it again. Nothing was imported."
            ) from None
