"""A PostgreSQL server of a test's own, which it may stop, start and freeze."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.services.obtainable import unobtainable
from tests.services.postgres import (
    FOLDER,
    HOW_TO_GET_IT,
    SWIFT,
    find_programs,
    running_server,
)
from tests.services.swift import swift_place

KEEPS_COMMITS = tuple(each for each in SWIFT if not each.startswith("synchronous_commit"))
"""A commit that was confirmed is there after `stop`, which gives the server no time to write."""


class OwnServer:
    """`url` is the address of an empty database on it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._running = ExitStack()
        self.start()
        plain = self._admin.set(drivername="postgresql").render_as_string()
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
        self.url = self._admin.set(database="shop").render_as_string()

    def start(self) -> None:
        self._admin = make_url(
            self._running.enter_context(running_server(self._programs, self._folder, KEEPS_COMMITS))
        )

    def stop(self) -> None:
        """End it at once, with every session."""
        self._running.close()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Nothing of it moves, and nobody is told."""
        processes = self._processes()
        for each in processes:
            each.suspend()
        try:
            yield
        finally:
            for each in processes:
                each.resume()

    def fill_disk(self) -> None:
        """From now on, until it is started anew, it can write to no file."""
        processes = self._processes()
        # Only its own user may limit it.
        user, group = processes[0].uids().real, processes[0].gids().real
        identity = {"user": user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
        for each in processes:
            limit = ["prlimit", f"--pid={each.pid}", "--fsize=0:"]
            limited = subprocess.run(limit, check=False, **identity)
            if each.is_running():  # sessions and the server's helpers end in between
                limited.check_returncode()

    def _processes(self) -> list[psutil.Process]:
        number = (self._folder / "data" / "postmaster.pid").read_text().split()[0]
        server = psutil.Process(int(number))
        return [server, *server.children()]


@pytest.fixture
def own_postgres() -> Iterator[OwnServer]:
    programs = find_programs()
    if programs is None:
        unobtainable("PostgreSQL", HOW_TO_GET_IT)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=swift_place()))
    try:
        server = OwnServer(programs, folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
