"""Encrypted files of SQLite: their key, their connections, and how files are converted.

The files are those of SQLCipher. Their random key is kept in the data folder, wrapped with the
master key, so that replacing that one writes no database anew.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from cqrs_app.environment import SettingsError
from cqrs_app.kernel.privacy.data_keys import KEY_BYTES, MasterKey, WrongPersonalDataKey
from cqrs_app.settings import Settings

KEY_FILE = "database_key"
PLAIN = b"SQLite format 3\0"
"""How a file that is not encrypted begins."""

_PURPOSE = "database files"


def files_of(settings: Settings) -> list[Path]:
    """The files of the stores that are on SQLite."""
    urls = map(make_url, dict.fromkeys((settings.database_url, settings.read_database_url)))
    return [Path(url.database or "") for url in urls if url.get_backend_name() == "sqlite"]


def is_plain(path: Path) -> bool | None:
    """Whether a database is not encrypted; None while it is empty or missing."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(PLAIN))
    except OSError:
        return None
    return begin == PLAIN if begin else None


def refuse_other_files(settings: Settings) -> None:
    """Raise SettingsError if files are not as SQLITE_ENCRYPTION says."""
    states = {path: is_plain(path) for path in files_of(settings)}
    for path, plain in states.items():
        if plain and settings.sqlite_encryption:
            raise SettingsError(
                f"{path} is not encrypted, but SQLITE_ENCRYPTION is true. Stop the console, unset "
                "it, run `flask db encrypt`, and set it again."
            )
        kept = settings.data_dir / KEY_FILE
        if plain is False and not settings.sqlite_encryption and kept.exists():
            raise SettingsError(f"{path} is encrypted. Set SQLITE_ENCRYPTION=true.")


def engine_options(settings: Settings, url: str, timeout: float) -> dict[str, Any]:
    """What create_engine needs besides, if the files of this database are to be encrypted."""
    if not settings.sqlite_encryption or make_url(url).get_backend_name() != "sqlite":
        return {}
    path = make_url(url).database or ""
    opened = partial(connect, path, database_key(settings), timeout)
    return {"module": driver(), "creator": opened}


def connect(path: str, key: bytes | None, timeout: float) -> Any:
    """A connection of the driver. Without a key the file is not encrypted."""
    connection = driver().connect(path, timeout=timeout, check_same_thread=False)
    if key is not None:
        connection.execute(f'PRAGMA key = "{_literal(key)}"')
    return connection


def driver() -> Any:
    """The driver of encrypted files. Raises SettingsError if it is not installed."""
    try:
        from sqlcipher3 import dbapi2
    except ImportError:
        raise SettingsError(
            "SQLITE_ENCRYPTION needs a package that is not installed. Run: bin/install encryption"
        ) from None
    return dbapi2


def database_key(settings: Settings) -> bytes:
    """The key of the files, made if there is none. Raises SettingsError."""
    path = settings.data_dir / KEY_FILE
    if not path.exists():
        settings.make_data_dir()
        _keep(settings, secrets.token_bytes(KEY_BYTES), replace=False)
    master_id, _, content = path.read_text().partition(" ")
    masters = {each.id: each for each in map(MasterKey, settings.personal_data_keys())}
    try:
        return masters[master_id].unwrapped(base64.b64decode(content), _PURPOSE)
    except (KeyError, ValueError, WrongPersonalDataKey):
        raise SettingsError(
            f"{path} cannot be opened with this PERSONAL_DATA_KEY. Put the former one back."
        ) from None


def wrap_again(settings: Settings) -> None:
    """Wrap the key of the files with the current master key, if there is one. Raises
    SettingsError."""
    if (settings.data_dir / KEY_FILE).exists():
        _keep(settings, database_key(settings), replace=True)


def convert(settings: Settings, *, encrypt: bool) -> list[Path]:
    """Encrypt or decrypt the files that are not so yet, while no process uses them; returns them.
    Stopped in the middle of a file it has changed nothing of it. Raises SettingsError."""
    key = database_key(settings)
    converted = [path for path in files_of(settings) if is_plain(path) is encrypt]
    for path in converted:
        _convert(path, None if encrypt else key, key if encrypt else None)
    return converted


def _convert(path: Path, former: bytes | None, new: bytes | None) -> None:
    made = path.with_name(f"{path.name}.new")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    with contextlib.closing(connect(str(path), former, 5.0)) as connection:
        try:
            # All of it into the file itself, so that nothing is left beside it.
            connection.execute("PRAGMA journal_mode = DELETE")
        except driver().OperationalError as error:
            raise SettingsError(f"{path} is in use: {error}. Stop the console first.") from error
        attached = (str(made), _literal(new) if new else "")
        connection.execute("ATTACH DATABASE ? AS converted KEY ?", attached)
        connection.execute("SELECT sqlcipher_export('converted')")
        connection.execute("DETACH DATABASE converted")
    made.replace(path)


def _keep(settings: Settings, key: bytes, *, replace: bool) -> None:
    master = MasterKey(settings.personal_data_keys()[0])
    content = base64.b64encode(master.wrapped(key, _PURPOSE)).decode()
    descriptor, name = tempfile.mkstemp(dir=settings.data_dir, prefix=f".{KEY_FILE}-")
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{master.id} {content}\n")
        file.flush()
        os.fsync(file.fileno())
    made, path = Path(name), settings.data_dir / KEY_FILE
    if replace:
        made.replace(path)
        return
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(made)
    made.unlink()


def _literal(key: bytes) -> str:
    return f"x'{key.hex()}'"
