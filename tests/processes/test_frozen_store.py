"""The web server while a database neither answers nor goes away."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from cqrs_app.database import upgrade
from cqrs_app.settings import Settings
from tests.processes.running import eventually, free_port, start
from tests.services.own_postgres import OwnServer

THREADS = 2
pytestmark = pytest.mark.slow


@contextmanager
def web_server(url: str, data_dir: Path) -> Iterator[int]:
    """The port of a real web server of one process."""
    port = free_port()
    environment = {
        "DATABASE_URL": url,
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "WEB_THREADS": str(THREADS),
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    process = start(
        *(sys.executable, "-m", "gunicorn"),
        *("-c", "python:cqrs_app.processes.gunicorn_conf", "app:app"),
        environment=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert eventually(lambda: is_up(port))
        yield port
    finally:
        process.kill()
        process.wait()


def asked(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        client.request(method, path)
        answer = client.getresponse()
        return answer.status, answer.read()
    finally:
        client.close()


def is_up(port: int) -> bool:
    try:
        # No worker runs here.
        return asked(port, "/readyz")[0] == 503
    except OSError:
        return False


def test_it_says_that_it_lives_while_all_its_threads_wait(
    own_postgres: OwnServer, tmp_path: Path
) -> None:
    upgrade(Settings(data_dir=tmp_path, database_url=own_postgres.url).resolved())
    with web_server(own_postgres.url, tmp_path) as port, ThreadPoolExecutor(2 * THREADS) as clients:
        with own_postgres.frozen():
            waiting = [clients.submit(asked, port, "/readyz") for _ in range(2 * THREADS)]
            time.sleep(0.5)
            for method, body in (("GET", b"ok\n"), ("HEAD", b""), ("GET", b"ok\n")):
                began = time.monotonic()
                assert asked(port, "/healthz?from=balancer", method) == (200, body)
                assert time.monotonic() - began < 3
            assert not any(each.done() for each in waiting)
        assert {each.result()[0] for each in waiting} == {503}
        assert asked(port, "/healthz") == (200, b"ok\n")
