"""A backup of the write store, and the drill that restores the newest one beside it and checks it;
run by bin/backup and bin/drill with the environment of the console.

A backup is a folder: the store, the seals of its logs, and the digest of both files. The keys are
not in it: keep them elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from cqrs_app.settings import Settings

PROJECT = Path(__file__).resolve().parent.parent
FLASK = (sys.executable, "-m", "flask", "--app", "app")
KEPT = 14
"""Backups that stay; older ones are removed."""
NO_REDIS = "unix:///nowhere/redis.sock"
DIGESTS, SEALS, SQLITE, POSTGRES = "SHA256", "seals.json", "write.sqlite3", "write.dump"
USAGE = "Usage: bin/backup FOLDER, or bin/drill FOLDER"


class Failed(Exception):
    """What went wrong, in a sentence."""


def main(action: str = "", folder: str = "") -> None:
    actions = {"backup": backup, "drill": drill}
    if action not in actions or not folder:
        sys.exit(USAGE)
    try:
        print(actions[action](Path(folder).absolute(), Settings.from_environment().resolved()))
    except Failed as failed:
        sys.exit(str(failed))


def backup(folder: Path, settings: Settings) -> str:
    """Write a new backup; one that was interrupted has another name and is not taken for one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    unfinished = folder / f"{name}.unfinished"
    unfinished.mkdir(mode=0o700)
    # The seals first: whatever they cover is in the copy that follows.
    (unfinished / SEALS).write_text(_flask("events", "seal"))
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        _copy(Path(url.database or ""), unfinished / SQLITE)
    else:
        _run(
            "pg_dump", "--format=custom", "--no-owner", "--file", unfinished / POSTGRES, _libpq(url)
        )
    digests = {each.name: _digest(each) for each in sorted(unfinished.iterdir())}
    text = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    (unfinished / DIGESTS).write_text(text)
    unfinished.rename(folder / name)
    for old in _backups(folder)[:-KEPT]:
        shutil.rmtree(old)
    return f"Backup {folder / name}: {', '.join(digests)}."


def drill(folder: Path, settings: Settings) -> str:
    """Restore the newest backup into a place of its own, build the read models from it, verify its
    logs against the seals, and remove it all."""
    found = _backups(folder)
    if not found:
        raise Failed(f"There is no backup in {folder}. Make one with bin/backup.")
    newest, began = found[-1], time.monotonic()
    for line in (newest / DIGESTS).read_text().splitlines():
        digest, _, name = line.partition("  ")
        if _digest(newest / name) != digest:
            raise Failed(f"{newest / name} is damaged: its digest is another.")
    with (
        tempfile.TemporaryDirectory(prefix="countersign-drill-") as place,
        _restored(newest, Path(place), make_url(settings.database_url)) as url,
    ):
        environment = {
            "DATA_DIR": place,
            "DATABASE_URL": url,
            "READ_DATABASE_URL": f"sqlite:///{place}/read.sqlite3",
            "QUERY_DATABASE_URL": "",
            "REDIS_URL": NO_REDIS,
            "PERSONAL_DATA_KEY": settings.personal_data_keys()[0],
            "PERSONAL_DATA_KEY_FILE": "",
            "PERSONAL_DATA_KEY_COMMAND": "",
        }
        _flask("db", "upgrade", **environment)
        _flask("projections", "catch-up", **environment)
        verified = _flask("events", "verify", "--against", newest / SEALS, **environment)
    seconds = time.monotonic() - began
    return f"Backup {newest} was restored in {seconds:.0f} s. {verified.splitlines()[-1]}"


@contextmanager
def _restored(backup: Path, place: Path, url: URL) -> Iterator[str]:
    """The address of a store that was made of the backup, removed at the end."""
    if (backup / SQLITE).exists():
        shutil.copy(backup / SQLITE, place / SQLITE)
        yield f"sqlite:///{place / SQLITE}"
        return
    name = f"countersign_drill_{os.getpid()}"
    _run("psql", "--quiet", "--command", f"CREATE DATABASE {name}", _libpq(url))
    try:
        there = _libpq(url.set(database=name))
        _run("pg_restore", "--no-owner", "--exit-on-error", "--dbname", there, backup / POSTGRES)
        yield there
    finally:
        _run("psql", "--quiet", "--command", f"DROP DATABASE {name} WITH (FORCE)", _libpq(url))


def _backups(folder: Path) -> list[Path]:
    """The finished ones, oldest first."""
    return sorted(each.parent for each in folder.glob(f"*Z/{DIGESTS}"))


def _copy(source: Path, destination: Path) -> None:
    """A consistent copy of an SQLite file, also while others write to it."""
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(destination)) as here:
        there.backup(here)


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _flask(*words: str | Path, **environment: str) -> str:
    return _run(*FLASK, *words, environment=environment)


def _run(*command: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """What a program prints. Raises Failed with its last line, which holds no address."""
    made = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        last = (made.stderr.strip() or made.stdout.strip() or "it said nothing").splitlines()[-1]
        raise Failed(f"{Path(command[0]).name} failed: {last}")
    return made.stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
