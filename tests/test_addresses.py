"""Addresses of databases and Redis servers: what is understood, and what is refused how."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis.sentinel import SentinelConnectionPool
from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import URL

from cqrs_app import addresses
from cqrs_app.environment import SettingsError
from cqrs_app.kernel.store.engines import engine_options
from cqrs_app.settings import Settings
from tests.processes.running import PROJECT, clean_environment, run_python
from tests.services.obtainable import unobtainable
from tests.services.postgres import HOW_TO_GET_IT, SWIFT, find_programs, running_server
from tests.services.swift import swift_place

DATABASES = ("DATABASE_URL", "READ_DATABASE_URL", "QUERY_DATABASE_URL")
SERVERS = ("REDIS_URL", "CACHE_REDIS_URL")
UNUSABLE_DATABASES = (
    "garbage",
    "://",
    "mysql://h/db",
    "postgresql+asyncpg://h/db",
    "postgresql+psycopg2://h/db",
    "postgresql://h:port/db",
    "postgresql://[::1/db",
    "postgresql://a:1,b:x/db",
    "postgresql://a,b/db?host=c",
    "postgresql://a,/db",
    "postgresql://h/db?sslmod=require",
    "postgresql://h/db?connect_timeout=soon",
    "sqlite://",
    "sqlite://host/file",
    "sqlite:///:memory:",
    "sqlite:///shop.sqlite3",
    "sqlite:///../var/shop.sqlite3",
    "sqlite:////file?mode=ro",
    "sqlite+aiosqlite:////file",
)
UNUSABLE_SERVERS = (
    "garbage",
    "http://h",
    "redis://h:port",
    "redis://h:99999",
    "redis://h/shop",
    "redis://h?socket_timeout=soon",
    "redis://h?colour=red",
    "unix://relative",
    "redis+sentinel://h",
    "redis+sentinel:///shop",
    "redis+sentinel://h:port/shop",
    "redis+sentinel://h/shop/one",
    "redis+sentinel://h/shop?colour=red",
)


@pytest.mark.parametrize(
    ("setting", "url"),
    [(name, url) for name in DATABASES for url in UNUSABLE_DATABASES]
    + [(name, url) for name in SERVERS for url in UNUSABLE_SERVERS],
)
def test_an_address_that_can_never_be_used_gets_one_sentence(setting: str, url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({setting: url})
    assert str(refused.value).startswith(f"{setting} cannot be used: ")


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("postgres://h/db", {"host": "h", "dbname": "db"}),
        (
            "postgresql://u:p%40ss@a:1,b:2/db?target_session_attrs=read-write",
            {
                "user": "u",
                "password": "p@ss",
                "host": "a,b",
                "port": "1,2",
                "dbname": "db",
                "target_session_attrs": "read-write",
            },
        ),
        ("postgresql://a,b:5433/db", {"host": "a,b", "port": ",5433", "dbname": "db"}),
        ("postgresql://a,b/db", {"host": "a,b", "dbname": "db"}),
        ("postgresql://[::1]:1,[fe80::2]:2/db", {"host": "::1,fe80::2", "port": "1,2"}),
        ("postgresql://%2Fvar%2Frun/db", {"host": "/var/run", "dbname": "db"}),
        ("postgresql+psycopg:///db?host=a:1&host=b:2", {"host": "a,b", "port": "1,2"}),
    ],
)
def test_postgresql_is_addressed_as_libpq_has_it(url: str, arguments: dict[str, str]) -> None:
    made = addresses.database(url)
    taken = create_engine(made).dialect.create_connect_args(create_engine(made).url)[1]
    assert {name: taken[name] for name in arguments} == arguments
    # Processes hand the settings on to others.
    assert addresses.database(made) == made


@pytest.mark.parametrize("pooled", [False, True])
def test_a_host_that_vanishes_is_noticed_in_ten_seconds_or_as_the_address_says(
    *, pooled: bool
) -> None:
    def arguments(url: str) -> dict[str, int]:
        options = engine_options(url, timeout=30, pool_size=1, read_only=False, pooled=pooled)
        found: dict[str, int] = options["connect_args"]
        return found

    network = arguments("postgresql+psycopg://h/db")
    idle = network["keepalives_idle"]
    idle += network["keepalives_interval"] * network["keepalives_count"]
    assert (idle, network["tcp_user_timeout"], network["connect_timeout"]) == (10, 10_000, 5)
    chosen = arguments("postgresql+psycopg://h/db?tcp_user_timeout=3000&keepalives_idle=30")
    assert not {"tcp_user_timeout", "keepalives_idle"} & chosen.keys()


def test_a_password_among_the_options_is_kept_from_view_as_any_other() -> None:
    made = make_url(addresses.database("postgresql:///db?user=u&password=hunter%402&host=h"))
    assert made.password == "hunter@2"
    assert "hunter" not in str(made)


def test_sentinels_are_named_with_their_master_and_both_passwords() -> None:
    url = "rediss+sentinel://u:p%40@a,b:7/shop/2?sentinel_password=watch"
    pool = addresses.redis_client(url, socket_timeout=0.5).connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "shop"
    names = ("username", "password", "db", "socket_timeout")
    assert [pool.connection_kwargs[name] for name in names] == ["u", "p@", 2, 0.5]
    watching = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in watching] == [("a", 26379), ("b", 7)]
    assert {each["password"] for each in watching} == {"watch"}


def test_no_refusal_of_an_address_repeats_a_password() -> None:
    for setting, url in (
        ("DATABASE_URL", "postgresql://shop:hunter22@a:1,b:x/db"),
        ("DATABASE_URL", "postgresql://shop:hunter22@a/db?colour=red"),
        ("REDIS_URL", "redis+sentinel://shop:hunter22@a"),
    ):
        with pytest.raises(SettingsError) as refused:
            Settings.from_environment({setting: url})
        assert "hunter22" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("-m", "flask", "--app", "app", "doctor"),
        ("-m", "flask", "--app", "app", "up"),
        ("-m", "gunicorn", "-c", "python:cqrs_app.processes.gunicorn_conf", "app:app"),
        ("-m", "alembic", "-n", "write", "current"),
    ],
)
def test_every_program_ends_with_the_sentence(command: tuple[str, ...], tmp_path: Path) -> None:
    done = run_python(*command, DATABASE_URL="mysql://h/db", DATA_DIR=str(tmp_path))
    assert "DATABASE_URL cannot be used: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode != 0


@pytest.mark.parametrize("url", ["redis://h/0", "redis+sentinel://h/shop"])
def test_a_connection_does_not_look_the_library_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses.redis_client(url)
    looked_up: list[str] = []
    monkeypatch.setattr("redis.utils.get_lib_version", lambda: looked_up.append("again"))
    pool = addresses.redis_client(url).connection_pool
    pool.make_connection()
    assert not looked_up


@pytest.fixture
def two_servers() -> Iterator[tuple[URL, URL]]:
    """A PostgreSQL server that takes only questions, as a standby does, and one that writes."""
    programs = find_programs()
    if programs is None:
        unobtainable("PostgreSQL", HOW_TO_GET_IT)
    with ExitStack() as stack:
        made = []
        for more in (("default_transaction_read_only=on",), ()):
            folder = Path(tempfile.mkdtemp(prefix="countersign-pair-", dir=swift_place()))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            made.append(stack.enter_context(running_server(programs, folder, (*SWIFT, *more))))
        yield made[0], made[1]


@pytest.mark.slow
def test_of_several_hosts_the_one_that_writes_is_found(
    two_servers: tuple[URL, URL], tmp_path: Path
) -> None:
    reading, writing = (str(each.query["host"]) for each in two_servers)
    hosts = ",".join(each.replace("/", "%2F") for each in ("/nowhere", reading, writing))
    for mode, found in (("read-write", writing), ("read-only", reading)):
        url = f"postgresql://countersign@{hosts}/postgres?target_session_attrs={mode}"
        made = addresses.database(url)
        engine = create_engine(made, **engine_options(made, timeout=5, pool_size=1, read_only=True))
        with engine.connect() as connection:
            where = connection.exec_driver_sql("SHOW unix_socket_directories").scalar_one()
        engine.dispose()
        assert where == found
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"],
        cwd=PROJECT,
        env=clean_environment(
            {
                "DATABASE_URL": f"postgresql://countersign@{hosts}/postgres"
                "?target_session_attrs=read-write",
                "DATA_DIR": str(tmp_path),
            }
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
