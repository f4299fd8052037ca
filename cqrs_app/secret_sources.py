"""Secrets that are kept elsewhere: in a file, or with a program such as the client of a key
management service."""

from __future__ import annotations

import shlex
import subprocess
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


def _long_enough(setting: str, secret: str) -> str:
    if len(secret) < SHORTEST:
        raise SettingsError(f"{setting} gives fewer than {SHORTEST} characters.")
    return secret
