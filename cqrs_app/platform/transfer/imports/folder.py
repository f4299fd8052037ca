"""Finds files that belong together, in a folder or an archive."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from cqrs_app.platform.transfer.imports.scratch import scratch
from cqrs_app.platform.transfer.imports.source import BadFile, Bounded, unpacked

Wanted = Mapping[str, tuple[str, ...]]
"""Kind of file -> its possible names."""


@contextmanager
def files_in(path: Path, wanted: Wanted) -> Iterator[dict[str, Path]]:
    """Kind of file -> its path, in the folder `path`, or unpacked from the archive `path` into a
    temporary folder that is removed at the end.

    Raises BadFile if a file is missing or the archive cannot be used.
    """
    if path.is_dir():
        yield _named(path, path, wanted)
        return
    with scratch() as folder:
        _unpack(path, folder, {name for names in wanted.values() for name in names})
        yield _named(path, folder, wanted)


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
        # As a stream, so that everything that is unpacked is counted, including files that are not
        # needed.
        with unpacked(path) as stream, _archive(stream) as archive:
            for member in archive:
                # Use only the last part of a name, so that no file is written anywhere else.
                name = PurePosixPath(member.name).name
                source = archive.extractfile(member) if member.isreg() else None
                if source and name in names and not (folder / name).exists():
                    with (folder / name).open("xb") as file:
                        shutil.copyfileobj(source, file)
    except tarfile.TarError as error:
        raise BadFile(
            f"{path.name} is neither a folder nor a tar archive that can be read. "
            "Nothing was imported."
        ) from error


def _archive(stream: Bounded) -> tarfile.TarFile:
    return tarfile.open(fileobj=cast(BinaryIO, stream), mode="r|")
