"""A Redis server for the tests, one per test process, started like the console's embedded one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from cqrs_app.processes import embedded_redis
from cqrs_app.processes.kinship import bound_to_parent
from tests.services.obtainable import unobtainable


@contextmanager
def running_redis(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An embedded server for `data_dir`, at `embedded_redis.url(data_dir)`, killed at the end."""
    process = subprocess.Popen(
        embedded_redis.command(data_dir),
        stdin=subprocess.DEVNULL,
        preexec_fn=bound_to_parent(),  # noqa: PLW1509 - it touches no lock that a thread may hold
    )
    try:
        assert embedded_redis.wait_until_ready(data_dir, lambda: process.poll() is None)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of this test process's server, which may hold data of earlier tests."""
    try:
        embedded_redis.find_server()
    except embedded_redis.RedisUnavailable:
        unobtainable("Redis", "apt-get install redis-server")
    folder = Path(tempfile.mkdtemp(prefix="countersign-redis-"))
    try:
        with running_redis(folder):
            yield embedded_redis.url(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of an empty Redis."""
    client = redis.Redis.from_url(redis_server)
    client.flushall()
    client.close()
    return redis_server
