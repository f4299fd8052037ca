"""Two Redis servers, a master and its replica, and a sentinel that watches them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

from cqrs_app.processes import embedded_redis
from cqrs_app.processes.kinship import bound_to_parent
from tests.processes.running import eventually, free_port

MASTER = "shop"


@dataclass(frozen=True, slots=True)
class Watched:
    """`url` names the sentinel and the master; `kill_master` makes the replica the master."""

    port: int
    master: subprocess.Popen[bytes]
    master_port: int

    @property
    def url(self) -> str:
        # The first sentinel is away, as one may be.
        return f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self.port}/{MASTER}/1"

    def kill_master(self) -> None:
        self.master.kill()
        self.master.wait()
        sentinel = Redis(port=self.port)
        before = str(self.master_port).encode()
        assert eventually(lambda: self._master_now(sentinel)[1] != before)
        sentinel.close()

    def _master_now(self, sentinel: Redis) -> tuple[bytes, bytes]:
        found: tuple[bytes, bytes] = sentinel.execute_command(
            "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER
        )
        return found


@contextmanager
def watched_redis(folder: Path) -> Iterator[Watched]:
    """Real servers on ports of this machine, killed at the end."""
    master, replica, port = free_port(), free_port(), free_port()
    config = folder / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {master} 1\n"
        f"sentinel down-after-milliseconds {MASTER} 500\n"
        f"sentinel failover-timeout {MASTER} 2000\n"
    )
    with ExitStack() as stack:
        first = stack.enter_context(_server(folder, master))
        stack.enter_context(_server(folder, replica, "--replicaof", "127.0.0.1", str(master)))
        _wait_for(replica, lambda info: info["master_link_status"] == "up")
        stack.enter_context(_running(str(config), "--sentinel"))
        _wait_for(port, lambda info: info["master0"]["slaves"] == 1)
        yield Watched(port, first, master)


@contextmanager
def _server(folder: Path, port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    common = (
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
        "--repl-diskless-sync-delay",
        "0",
    )
    with _running("--port", str(port), *common, *options) as process:
        _wait_for(port, bool)
        yield process


@contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [embedded_redis.find_server(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        preexec_fn=bound_to_parent(),  # noqa: PLW1509 - it touches no lock that a thread may hold
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, holds: Callable[[dict[str, Any]], bool]) -> None:
    client = Redis(port=port)

    def is_so() -> bool:
        try:
            return holds(cast(dict[str, Any], client.info()))
        except RedisError:
            return False

    assert eventually(is_so)
    client.close()
