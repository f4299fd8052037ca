"""bin/run as a person runs it: the whole console, on free ports and in its own folders."""

import http.client
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path

import psutil
import pytest

from cqrs_app.processes import demo_removal
from tests.processes.running import (
    PROJECT,
    alive,
    clean_environment,
    ended,
    eventually,
    family,
    free_port,
    read_until,
    run_flask,
    run_python,
    running,
    stop,
)

READY = " is ready at http://127.0.0.1:"
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("redis_server")]


def console(
    data_dir: Path, port: int, **others: str
) -> AbstractContextManager[subprocess.Popen[str]]:
    environment = {
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "DEMO_ORDERS": "12",
        "DEMO_SECONDS": "0",
        **others,
    }
    return running(PROJECT / "bin" / "run", **environment)


def status_of(port: int, path: str = "/readyz", token: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def refusal(data_dir: Path, port: int, **others: str) -> str:
    """What bin/run says when it does not start."""
    environment = {"DATA_DIR": str(data_dir), "PORT": str(port), **others}
    result = subprocess.run(
        [PROJECT / "bin" / "run"],
        env=clean_environment(environment),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    return result.stderr


def named(processes: list[psutil.Process], words: str) -> psutil.Process:
    return next(process for process in processes if words in " ".join(process.cmdline()))


def test_it_starts_stops_without_a_trace_and_starts_again_with_its_data(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "var", free_port()
    with console(data_dir, port) as first:
        greeting = read_until(first, "Ctrl-C")
        assert f"{READY}{port}" in greeting
        assert re.search(r"Sign in as admin with the password \S+ \(shown this once\)", greeting)
        assert status_of(port) == 200
        processes = family(first.pid)
        for words in ("redis", "Worker 1", "Worker 2", "Webhook worker 1", "sweep", "gunicorn"):
            assert named(processes, words)
        stop(first)
        assert first.returncode == 0
        assert ended(processes, 0.5)
    kept = (data_dir / "write.sqlite3").stat().st_size
    with console(data_dir, port) as second:
        greeting = read_until(second, "Ctrl-C")
        assert "the password you were shown the first time" in greeting
        assert status_of(port) == 200
        stop(second, signal.SIGINT)
        assert second.returncode == 0
    assert (data_dir / "write.sqlite3").stat().st_size >= kept


def test_a_killed_part_comes_back(tmp_path: Path) -> None:
    port = free_port()
    with console(tmp_path, port) as process:
        read_until(process, "Ctrl-C")
        for words in ("Worker 1", "sweep", "redis", "gunicorn"):
            named(family(process.pid), words).kill()
            read_until(process, "was killed by SIGKILL; starting it again")
        assert eventually(lambda: answers(port))
        stop(process)


def test_it_starts_and_stops_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    port = free_port()
    with console(tmp_path, port, DATABASE_URL=postgres_url) as process:
        read_until(process, "Ctrl-C")
        assert status_of(port) == 200
        processes = family(process.pid)
        stop(process)
        assert process.returncode == 0
        assert ended(processes, 0.5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what processes share")
def test_its_processes_share_more_than_half_of_their_memory(tmp_path: Path) -> None:
    with console(tmp_path, free_port()) as process:
        read_until(process, "Ctrl-C")
        held = [each.memory_full_info() for each in family(process.pid)]
        assert sum(each.uss for each in held) < sum(each.rss for each in held) / 2
        stop(process)


def test_what_the_pages_counted_is_written_down_when_it_stops(tmp_path: Path) -> None:
    port = free_port()
    with console(tmp_path, port) as process:
        read_until(process, "Ctrl-C")
        words = ("tokens", "create", "till", "--role", "viewer")
        made = run_flask(*words, DATA_DIR=str(tmp_path))
        token = made.stdout.splitlines()[-1]
        assert status_of(port, "/api/v1/queries/ListOrders", token) == 200
        stop(process)
    with closing(sqlite3.connect(tmp_path / "write.sqlite3")) as store:
        counted = store.execute(
            "SELECT sum(count) FROM bus_statistics WHERE bus = 'query' AND name = 'ListOrders'"
        )
        assert counted.fetchone() == (1,)


def answers(port: int) -> bool:
    try:
        return status_of(port) == 200
    except (OSError, http.client.HTTPException):
        return False


def test_after_kill_9_nothing_is_left_and_the_next_start_works(tmp_path: Path) -> None:
    port = free_port()
    with console(tmp_path, port) as process:
        read_until(process, "Ctrl-C")
        processes = family(process.pid)
        process.kill()
        with console(tmp_path, port) as again:
            read_until(again, "Ctrl-C")
            assert status_of(port) == 200
            stop(again)
        assert not any(alive(child) for child in processes)


def test_the_demo_shop_is_removed_while_the_console_runs(tmp_path: Path) -> None:
    port = free_port()
    with console(tmp_path, port) as process:
        read_until(process, "Ctrl-C")
        demo_removal.ask(tmp_path)
        said = read_until(process, "Ctrl-C")
        assert f"The demo shop is in {tmp_path}/demo-" in said
        assert re.search(r"Sign in as admin with the password \S+ \(shown this once\)", said)
        assert status_of(port) == 200
        processes = family(process.pid)
        process.kill()
    assert ended(processes)
    [aside] = tmp_path.glob("demo-*")
    assert orders_in(aside) >= 12
    demo_removal.ask(tmp_path)
    with console(tmp_path, port) as process:
        assert "The demo shop stays. There is no demo shop here." in read_until(process, "Ctrl-C")
        stop(process)
        assert process.returncode == 0
    assert orders_in(tmp_path) == 0


def orders_in(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "write.sqlite3")) as store:
        found = store.execute("SELECT count(*) FROM events WHERE type = 'OrderPlaced'")
        return int(found.fetchone()[0])


def test_two_copies_run_side_by_side(tmp_path: Path) -> None:
    ports = free_port(), free_port()
    with console(tmp_path / "a", ports[0]) as a, console(tmp_path / "b", ports[1]) as b:
        for process in (a, b):
            read_until(process, "Ctrl-C")
        assert [status_of(port) for port in ports] == [200, 200]
        stop(a)
        assert status_of(ports[1]) == 200
        assert "Another copy already runs" in refusal(tmp_path / "b", ports[0])
        stop(b)


def test_a_given_password_is_not_printed(tmp_path: Path) -> None:
    port = free_port()
    with console(tmp_path, port, ADMIN_PASSWORD="correct horse battery staple") as process:
        greeting = read_until(process, "Ctrl-C")
        assert "the password in ADMIN_PASSWORD" in greeting
        assert "correct horse" not in greeting
        stop(process)


def test_a_given_password_is_not_in_the_environment_of_child_processes(tmp_path: Path) -> None:
    script = """
        import os
        from types import SimpleNamespace
        from cqrs_app.processes.console import Console
        from cqrs_app.settings import Settings

        def start(program):
            raise SystemExit(f"{program.name}: {os.environ.get('ADMIN_PASSWORD')}")

        console = Console(Settings.from_environment())
        console.supervisor = SimpleNamespace(start=start, stop=lambda: None)
        console.run()
    """
    password = "correct horse battery staple"
    done = run_python(
        "-c", textwrap.dedent(script), DATA_DIR=str(tmp_path), ADMIN_PASSWORD=password
    )
    assert done.stderr == "Redis: None\n"


def test_a_busy_port_gets_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refusal(tmp_path, port) == (
            f"Error: Port {port} on 127.0.0.1 is already in use. Set PORT to another one.\n"
        )


def test_a_data_folder_that_cannot_be_one_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refusal(tmp_path / "file", free_port())
    assert said.startswith(f"Error: The data folder {tmp_path / 'file'} cannot be written")
    assert said.count("\n") == 1


def test_a_setting_that_cannot_be_read_gets_one_sentence(tmp_path: Path) -> None:
    said = refusal(tmp_path, free_port(), WORKERS="many")
    assert said == "Error: WORKERS is 'many'; write a whole number from 0 to 256.\n"


def test_a_database_that_is_away_gets_one_sentence(tmp_path: Path) -> None:
    address = f"postgresql://127.0.0.1:{free_port()}/shop"
    said = refusal(tmp_path, free_port(), DATABASE_URL=address)
    assert said.startswith("Error: The database cannot be used: ")
    assert "Check DATABASE_URL" in said


def test_a_web_server_that_is_killed_before_its_first_page_is_started_again(tmp_path: Path) -> None:
    port = free_port()
    with console(tmp_path, port) as process:
        assert eventually(lambda: found(process.pid, "The web server"))
        found(process.pid, "The web server")[0].kill()
        read_until(process, "The web server was killed by SIGKILL; starting it again")
        read_until(process, "Ctrl-C")
        assert status_of(port, "/healthz") == 200
        stop(process)


def found(pid: int, words: str) -> list[psutil.Process]:
    """Among the processes at this moment; some may end during the search."""
    matching = []
    for each in family(pid):
        with suppress(psutil.Error):
            if words in " ".join(each.cmdline()):
                matching.append(each)
    return matching
