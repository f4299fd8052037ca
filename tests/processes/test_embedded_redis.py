"""The Redis server that comes along."""

import os
import stat
from pathlib import Path

import pytest
import redis

from cqrs_app.processes import embedded_redis
from tests.services.redis_server import running_redis


@pytest.fixture
def data_dir(tmp_path: Path, redis_server: str) -> Path:
    """A data folder with a short path, on a machine that has a Redis."""
    return tmp_path


def client(data_dir: Path) -> redis.Redis:
    return redis.Redis.from_url(embedded_redis.url(data_dir), decode_responses=True)


def test_it_listens_on_a_private_socket_and_on_nothing_else(data_dir: Path) -> None:
    with running_redis(data_dir):
        socket = embedded_redis.socket_path(data_dir)
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        with client(data_dir) as connection:
            assert connection.config_get("port") == {"port": "0"}
            assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_nothing_that_it_held_is_on_the_disk(data_dir: Path) -> None:
    folder = data_dir / "redis"
    (folder / "appendonlydir").mkdir(parents=True)
    for name in ("appendonly.aof", "appendonlydir/appendonly.aof.1.base.rdb", "dump.rdb"):
        (folder / name).write_bytes(b"Ada Lovelace, of an earlier release")
    with running_redis(data_dir) as process:
        with client(data_dir) as connection:
            connection.set("answer", "Ada Lovelace")
            assert connection.config_get("appendonly") == {"appendonly": "no"}
            assert connection.config_get("save") == {"save": ""}
        process.terminate()
        process.wait()
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {file.name for file in files} <= {"redis.log"}
    assert not any(b"Ada Lovelace" in file.read_bytes() for file in files)


def test_a_server_that_was_left_over_is_ended_before_the_next(data_dir: Path) -> None:
    with running_redis(data_dir) as process:
        embedded_redis.stop_left_over(data_dir)
        assert process.wait(60) == 0
    assert not embedded_redis.answers(embedded_redis.url(data_dir))


def test_a_data_folder_too_long_for_a_socket_gets_a_private_one_elsewhere(data_dir: Path) -> None:
    deep = data_dir / ("d" * 90) / ("e" * 90)
    deep.mkdir(parents=True)
    socket = embedded_redis.socket_path(deep)
    assert len(os.fsencode(socket)) <= embedded_redis.LONGEST_SOCKET_PATH
    assert socket == embedded_redis.socket_path(deep)
    assert socket != embedded_redis.socket_path(deep / "other")
    try:
        with running_redis(deep):
            assert embedded_redis.answers(embedded_redis.url(deep))
            assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    finally:
        socket.unlink(missing_ok=True)
        socket.parent.rmdir()


def test_a_folder_that_others_may_enter_is_refused(data_dir: Path) -> None:
    deep = data_dir / ("d" * 90) / ("f" * 90)
    deep.mkdir(parents=True)
    prepared = embedded_redis.socket_path(deep).parent
    prepared.mkdir()
    prepared.chmod(0o777)
    try:
        with pytest.raises(embedded_redis.RedisUnavailable, match="not private"):
            embedded_redis.command(deep)
    finally:
        prepared.rmdir()


def test_any_character_may_stand_in_the_data_folder(data_dir: Path) -> None:
    odd = data_dir / "a b?c#d%20é"
    with running_redis(odd):
        assert embedded_redis.answers(embedded_redis.url(odd))


def test_without_any_server_one_sentence_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded_redis, "ON_THE_PATH", ())
    monkeypatch.setattr(embedded_redis, "IN_A_PACKAGE", (("no_such_package", "bin/redis"),))
    with pytest.raises(embedded_redis.RedisUnavailable, match="apt-get install redis-server"):
        embedded_redis.find_server()
