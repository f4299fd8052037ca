"""Secrets that are kept elsewhere: in a file, with a program such as the client of a key management
service, or made once and kept in a folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from cqrs_app.environment import SettingsError

COMMAND_SECONDS = 30
SHORTEST = 16


@cache
def secret_in_file(setting: str, path: str) -> str:
    """What the file holds, without surrounding blanks. Raises SettingsError."""
    try:
        text = Path(path).expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{setting} cannot be read: {error}.") from error
    return _long_enough(setting, text)


@cache
def secret_of_command(setting: str, command: str) -> str:
    """What the command prints, without surrounding blanks; run once per process, without a shell.
    Raises SettingsError, which repeats nothing that was printed."""
    try:
        done = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise SettingsError(f"{setting} cannot be run ({type(error).__name__}).") from error
    if done.returncode != 0:
        raise SettingsError(f"{setting} ended with status {done.returncode}.")
    return _long_enough(setting, done.stdout.strip())


def kept_secret(folder: Path, name: str) -> str:
    """The secret in this file, which is made if it is missing (mode 0600). Raises OSError."""
    path = folder / name
    if not path.exists():
        # Written to a temporary file and then linked: nobody reads half a secret, and if several
        # processes make one at once, the first one's stays.
        made = _new_secret(folder, name)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(made)
        made.unlink()
    return path.read_text()


def renew_kept_secret(folder: Path, name: str, previous: str) -> None:
    """Put a new secret in the file `name` and the present one in the file `previous`. If that file
    is there and another, it was done before, and nothing is changed. Raises OSError."""
    path, former = folder / name, folder / previous
    if not former.exists():
        former.hardlink_to(path)
    if former.read_text() == path.read_text():
        _new_secret(folder, name).replace(path)


def _new_secret(folder: Path, name: str) -> Path:
    """A temporary file in the folder with a random secret. Raises OSError."""
    descriptor, made = tempfile.mkstemp(dir=folder, prefix=f".{name}-")
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return Path(made)


def _long_enough(setting: str, secret: str) -> str:
    if len(secret) < SHORTEST:
        raise SettingsError(f"{setting} gives fewer than {SHORTEST} characters.")
    return secret
