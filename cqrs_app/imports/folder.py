"""Files that belong together, from a folder or from an archive."""

from __future__ import annotations

import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from cqrs_app.imports.source import BadFile

UNPACKED_AT_MOST = 4 * 1024**3
"""Bytes of one file out of an archive; a small archive can hold a file that fills the disk."""

_PIECE = 1024 * 1024

Wanted = Mapping[str, tuple[str, ...]]
"""What a file is -> the names it may have."""


@contextmanager
def files_in(path: Path, wanted: Wanted) -> Iterator[dict[str, Path]]:
    """Where each wanted file stands: in the folder `path`, or unpacked from the archive `path`
    into a temporary folder that is removed at the end.

    Raises BadFile when a file is missing or the archive cannot be used.
    """
    if path.is_dir():
        yield _named(path, path, wanted)
        return
    with tempfile.TemporaryDirectory(prefix="countersign-import-") as folder:
        _unpack(path, Path(folder), {name for names in wanted.values() for name in names})
        yield _named(path, Path(folder), wanted)


def _named(path: Path, folder: Path, wanted: Wanted) -> dict[str, Path]:
    found = {
        what: next((folder / name for name in names if (folder / name).is_file()), None)
        for what, names in wanted.items()
    }
    missing = sorted(wanted[what][0] for what, file in found.items() if file is None)
    if missing:
        raise BadFile(f"{path.name} holds no {', no '.join(missing)}. Nothing was imported.")
    return {what: file for what, file in found.items() if file is not None}


def _unpack(path: Path, folder: Path, names: set[str]) -> None:
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                # Only the last part of a name is used, so that nothing lands anywhere else.
                name = PurePosixPath(member.name).name
                if member.isreg() and name in names and not (folder / name).exists():
                    source = cast(BinaryIO, archive.extractfile(member))
                    _copy(source, folder / name)
    except tarfile.TarError as error:
        raise BadFile(
            f"{path.name} is neither a folder nor a tar archive that can be read. "
            "Nothing was imported."
        ) from error
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadFile(f"{path} cannot be read: {reason}. Nothing was imported.") from error


def _copy(source: BinaryIO, target: Path) -> None:
    left = UNPACKED_AT_MOST
    with target.open("xb") as file:
        while piece := source.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise BadFile(
                    f"{target.name} is larger than {UNPACKED_AT_MOST // 1024**2} MB when "
                    "unpacked. Nothing was imported."
                )
            file.write(piece)
