"""Decodes text files: UTF-8, UTF-16 with a byte order mark, or Windows-1252."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path

from cqrs_app.platform.transfer.imports.source import BadFile, Bounded

LONGEST_LINE = 64 * 1024
"""In bytes. No file of a shop has longer lines."""

ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "cp1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
}
"""Name of an encoding that can be given -> its codec."""

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CHUNK = 64 * 1024


class Lines:
    """The lines of a file, with their line ends.

    A file is UTF-16 if it starts with that byte order mark. Otherwise the first line with a
    character outside of ASCII decides: it is UTF-8 if it can be, else Windows-1252. `encoding` is
    what was found so far. Iterating raises BadFile.
    """

    def __init__(self, path: Path, file: Bounded, encoding: str | None = None) -> None:
        self._path = path
        self._file = file
        self._given = encoding
        self._decided = encoding is not None
        self.encoding = encoding or "utf-8"

    def __iter__(self) -> Iterator[str]:
        start = self._file.read(2)
        if self._given == "utf-16" or (self._given is None and start in _UTF_16):
            self.encoding = "utf-16"
            return self._utf16(start)
        return self._bytewise(start)

    def _bytewise(self, start: bytes) -> Iterator[str]:
        number, rest, ended = 0, start, False
        while not ended:
            piece = self._file.read(_CHUNK)
            ended = not piece
            lines = io.BytesIO(rest + piece).readlines()
            rest = b"" if ended or lines[-1].endswith(b"\n") else lines.pop()
            self._check(number + len(lines) + 1, len(rest), binary=False)
            yield from self._texts(lines, number)
            number += len(lines)

    def _texts(self, lines: list[bytes], number: int) -> Iterator[str]:
        """The lines decoded; `number` is that of the line before them."""
        longest, together = max(map(len, lines), default=0), b"".join(lines)
        if together.isascii() and b"\0" not in together and longest <= LONGEST_LINE:
            # Nearly every line, and several times faster than one by one.
            yield from map(bytes.decode, lines)
            return
        for count, line in enumerate(lines, start=number + 1):
            self._check(count, len(line), b"\0" in line)
            yield self._decoded(line, count)

    def _decoded(self, line: bytes, number: int) -> str:
        if line.isascii():
            return line.decode()
        try:
            text = line.decode(ENCODINGS[self.encoding])
        except UnicodeDecodeError:
            if self._decided:
                raise self._bad(
                    f"Line {number} of {{}} is not {self.encoding.upper()} text. Save the file as "
                    "UTF-8 and import it again."
                ) from None
            self.encoding, self._decided = "cp1252", True
            return self._decoded(line, number)
        # A byte order mark alone says nothing about what follows, which may be added by a tool.
        self._decided = True
        return text

    def _utf16(self, start: bytes) -> Iterator[str]:
        number, rest = 0, ""
        for text in self._utf16_texts(start):
            *complete, rest = (rest + text).split("\n")
            for line in complete:
                number += 1
                self._check(number, len(line), "\0" in line)
                yield f"{line}\n"
            self._check(number + 1, len(rest), "\0" in rest)
        if rest:
            yield rest

    def _utf16_texts(self, start: bytes) -> Iterator[str]:
        decoder, piece = codecs.getincrementaldecoder("utf-16")(), start
        try:
            while piece:
                yield decoder.decode(piece)
                piece = self._file.read(_CHUNK)
            yield decoder.decode(b"", final=True)
        except UnicodeError:
            raise self._bad(
                "{} is not UTF-16 text. Save the file as UTF-8 and import it again."
            ) from None

    def _check(self, number: int, length: int, binary: bool) -> None:
        if length > LONGEST_LINE:
            raise self._bad(f"Line {number} of {{}} is longer than {LONGEST_LINE // 1024} kB.")
        if binary:
            raise self._bad("{} is a binary file, not a text.")

    def _bad(self, sentence: str) -> BadFile:
        return BadFile(f"{sentence.format(self._path.name)} Nothing was imported.")
