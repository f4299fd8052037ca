"""A PgBouncer in transaction mode in front of the tests' PostgreSQL. Each transaction may run on
another server connection, so none may leave session state behind."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from cqrs_app.processes.kinship import bound_to_parent
from tests.services.obtainable import unobtainable
from tests.services.postgres import PostgresServer, unprivileged

SERVER_CONNECTIONS = 2
"""Few, so that several clients share a connection."""


@pytest.fixture
def pgbouncer_url(postgres_server: PostgresServer, postgres_url: str) -> Iterator[str]:
    """The URL of a new database, through the pooler."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        unobtainable("PgBouncer", "apt-get install pgbouncer")
    with (
        tempfile.TemporaryDirectory(prefix="countersign-pgbouncer-") as place,
        _running(program, Path(place), make_url(postgres_url)) as address,
    ):
        yield address.render_as_string(hide_password=False)


@contextmanager
def _running(program: str, folder: Path, behind: URL) -> Iterator[URL]:
    identity = unprivileged(folder)
    host = behind.query.get("host") or behind.host
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"""
        [databases]
        * = host={host} port={behind.port or 5432} user={behind.username}
        [pgbouncer]
        unix_socket_dir = {folder}
        listen_port = 6432
        auth_type = any
        pool_mode = transaction
        default_pool_size = {SERVER_CONNECTIONS}
        max_client_conn = 200
        """.replace("\n        ", "\n")
    )
    settings.chmod(0o644)
    server = subprocess.Popen(
        [program, "--quiet", settings],
        cwd=folder,
        stderr=subprocess.DEVNULL,
        preexec_fn=bound_to_parent(),  # noqa: PLW1509 - started before any thread of a test
        **identity,
    )
    address = URL.create(
        "postgresql+psycopg",
        username=behind.username,
        database=behind.database,
        query={"host": str(folder), "port": "6432"},
    )
    try:
        _wait_until_it_answers(server, address)
        yield address
    finally:
        server.kill()
        server.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes], address: URL) -> None:
    deadline = time.monotonic() + 10
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            psycopg.connect(plain).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
