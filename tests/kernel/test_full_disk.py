"""A full disk: what was accepted is there, the rest can be sent again and is then done once."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from cqrs_app.kernel.assembly import Engines, Kernel
from cqrs_app.kernel.commands.context import new_id
from tests.kernel.conftest import by_ana, engine_on, make_tables
from tests.kernel.shop import Add
from tests.services.own_postgres import OwnServer
from tests.services.stores import Databases

REFUSED = 3
MOST = 500
ROOM = 16_384
"""Bytes that are still free on SQLite's disk."""


def send(kernel: Kernel, command_id: str) -> bool:
    """Whether it was carried out before."""
    command = Add(counter_id="c")
    return kernel.commands.execute(command, by_ana(command_id=command_id)).repeated


def sent_until_refused(kernel: Kernel) -> tuple[list[str], list[str]]:
    """The ids of commands that were accepted, and of those that were not."""
    accepted: list[str] = []
    refused: list[str] = []
    while len(refused) < REFUSED and len(accepted) < MOST:
        command_id = new_id()
        try:
            send(kernel, command_id)
            accepted.append(command_id)
        except DBAPIError:
            refused.append(command_id)
    return accepted, refused


def all_is_there_once(kernel: Kernel, accepted: list[str], refused: list[str]) -> None:
    assert len(refused) == REFUSED
    assert [send(kernel, each) for each in accepted] == [True] * len(accepted)
    # Of what was refused, some may have been carried out just before.
    for each in refused:
        send(kernel, each)
    written = [event.command_id for event in kernel.store.events_of("counter-c")]
    assert sorted(written) == sorted(accepted + refused)
    assert [report.fault for report in kernel.verify_logs() if report.fault] == []


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """No file of this process grows beyond the present size of the largest one here."""
    size = max(each.stat().st_size for each in folder.iterdir() if each.is_file())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_full_disk_of_sqlite_loses_and_doubles_nothing(kernel: Kernel, tmp_path: Path) -> None:
    send(kernel, first := new_id())
    with full_disk(tmp_path):
        accepted, refused = sent_until_refused(kernel)
    all_is_there_once(kernel, [first, *accepted], refused)


@pytest.fixture
def engine(own_postgres: OwnServer, tmp_path: Path) -> Iterator[Engine]:
    url = own_postgres.url
    make_tables(Databases("postgresql", url, url, tmp_path))
    made = engine_on(url)
    yield made
    made.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite"])  # of stores that are not used
def test_a_full_disk_of_postgresql_loses_and_doubles_nothing(
    own_postgres: OwnServer, engine: Engine, make_kernel: Callable[..., Kernel]
) -> None:
    """It stops by itself, and goes on once there is room and it is started."""
    kernel = make_kernel(engines=Engines(write=engine, read=engine, query=engine))
    first = [new_id() for _ in range(5)]
    for each in first:
        send(kernel, each)
    own_postgres.fill_disk()
    accepted, refused = sent_until_refused(kernel)
    own_postgres.stop()
    own_postgres.start()
    all_is_there_once(kernel, first + accepted, refused)
