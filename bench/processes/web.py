"""The product's web server like `bin/run` starts it, in separate processes, and similar servers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from bench import product
from bench.clients.browser import Browser
from cqrs_app.platform.operators import passwords
from cqrs_app.platform.operators.accounts import Accounts
from cqrs_app.services import services_of
from tests.console import environment_of
from tests.processes.running import PROJECT, family

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A gunicorn on `port`; `pid` is its arbiter, whose children are the workers."""

    port: int
    pid: int

    def workers(self) -> list[int]:
        return [child.pid for child in family(self.pid)]


@contextmanager
def served(
    app: str,
    environment: Mapping[str, str],
    *,
    python: str | Path = sys.executable,
    path: str = "/",
) -> Iterator[Server]:
    """`app` ("module:name") under gunicorn with the product's configuration file."""
    port = free_port()
    command = [python, "-m", "gunicorn", "-c", "python:cqrs_app.processes.gunicorn_conf", app]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**environment, "PORT": str(port), "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(process, port, path)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


@contextmanager
def console_server(app: Flask, **settings: str) -> Iterator[Server]:
    """The web server of this console with its default numbers of workers and threads. Other
    settings are named like environment variables."""
    with served("app:app", environment_of(app, **settings), path="/sign-in") as server:
        yield server


def signed_in(app: Flask, server: Server, name: str = "bench") -> Browser:
    """A browser with the session cookie of this administrator."""
    accounts: Accounts = services_of(app).accounts
    if name not in {each.name for each in accounts.list()}:
        accounts.create(name, "admin", passwords.generate())
    token = services_of(app).sessions.open(name, "127.0.0.1", "bench")
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    cookie = serializer.dumps({"token": token})
    browser = Browser(server.port, Cookie=f"{app.config['SESSION_COOKIE_NAME']}={cookie}")
    reply = browser.get("/orders")
    assert reply.status == 200, f"the console answered {reply.status} to who is signed in"
    return browser


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def plain_environment() -> dict[str, str]:
    """The environment of other servers than the product's: no store, but the settings of its web
    server."""
    return {**os.environ, "DATA_DIR": str(product.folder())}


def _wait(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if Browser(port).get(path).status < 500:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the web server on port {port} did not come up")
