"""The supervisor, with real processes."""

import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from cqrs_app.processes.kinship import how_it_ended
from cqrs_app.processes.supervisor import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STEADY_AFTER,
    Child,
    Program,
    Supervisor,
)
from tests.processes.running import alive, ended, eventually, family, read_until, running, stop

SLEEP = "exec sleep 1000"
STUBBORN = "trap '' TERM; while :; do sleep 0.05; done"
PARENT_OF_A_STRAY = "setsid sleep 1000 & wait"


def supervising(*children: str, grace: float = 5) -> AbstractContextManager[subprocess.Popen[str]]:
    return running(sys.executable, "-m", "tests.processes.stand_in", str(grace), *children)


def family_of(supervisor: subprocess.Popen[str], size: int) -> list[psutil.Process]:
    assert eventually(lambda: len(family(supervisor.pid)) >= size)
    return family(supervisor.pid)


def test_a_child_that_is_killed_is_started_again_and_one_line_says_so() -> None:
    with supervising(f"worker={SLEEP}", f"other={SLEEP}") as supervisor:
        read_until(supervisor, "started")
        child, other = sorted(family_of(supervisor, 2), key=psutil.Process.create_time)
        child.kill()
        line = read_until(supervisor, "worker")
        assert line == "worker was killed by SIGKILL; starting it again in 0.5 s.\n"
        assert eventually(lambda: len(family(supervisor.pid)) == 2)
        after = {each.pid for each in family(supervisor.pid)}
        assert other.pid in after
        assert child.pid not in after


def test_the_pause_grows_while_a_child_keeps_failing() -> None:
    with supervising("worker=exit 3") as supervisor:
        for pause in ("0.5", "1", "2"):
            line = read_until(supervisor, "again in")
            assert line.endswith(f"ended with status 3; starting it again in {pause} s.\n")


def test_the_pause_has_a_limit_and_is_short_again_after_a_child_ran_for_a_while() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    child = Child(Program("worker", run=lambda: None))
    now = 1_000.0

    def pause_after(seconds: float) -> float:
        child.started_at = now - seconds
        supervisor._plan_restart(child, 3, now)
        assert said[-1] == f"worker ended with status 3; starting it again in {said_pause()}."
        return child.due_at - now

    def said_pause() -> str:
        return f"{child.due_at - now:g} s"

    assert [pause_after(0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert pause_after(STEADY_AFTER - 1) == LONGEST_PAUSE
    assert [pause_after(STEADY_AFTER), pause_after(0)] == [FIRST_PAUSE, 2 * FIRST_PAUSE]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_child(how: signal.Signals) -> None:
    with supervising(f"a={SLEEP}", f"b={SLEEP}", f"last={SLEEP}") as supervisor:
        read_until(supervisor, "started")
        children = family_of(supervisor, 3)
        assert "stopped" in stop(supervisor, how)
        assert ended(children, 0.5)


def test_the_last_to_stop_outlives_the_others(tmp_path: Path) -> None:
    note = tmp_path / "order"

    def noting(name: str) -> str:
        return (
            f"trap 'echo {name} >>{note}; exit' TERM; touch {note}.{name}; "
            "while :; do /bin/sleep 0.02; done"
        )

    with supervising(f"last={noting('last')}", f"first={noting('first')}") as supervisor:
        read_until(supervisor, "started")
        ready = [Path(f"{note}.{name}") for name in ("last", "first")]
        assert eventually(lambda: all(path.exists() for path in ready))
        stop(supervisor)
    assert note.read_text().split() == ["first", "last"]


def test_a_child_that_ignores_the_request_is_killed_after_the_grace_time() -> None:
    with supervising(f"a={STUBBORN}", grace=0.5) as supervisor:
        read_until(supervisor, "started")
        children = family_of(supervisor, 2)
        stop(supervisor)
        assert ended(children, 0.5)


def test_a_second_signal_does_not_wait_for_the_grace_time() -> None:
    with supervising(f"a={STUBBORN}", grace=1000) as supervisor:
        read_until(supervisor, "started")
        children = family_of(supervisor, 2)
        supervisor.send_signal(signal.SIGINT)
        read_until(supervisor, "stopping")
        stop(supervisor, signal.SIGINT, patience=5)
        assert ended(children, 0.5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can adopt orphans")
def test_a_grandchild_that_left_its_group_is_stopped_too() -> None:
    with supervising(f"a={PARENT_OF_A_STRAY}") as supervisor:
        read_until(supervisor, "started")
        both = family_of(supervisor, 2)
        stop(supervisor)
        assert ended(both, 0.5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can adopt orphans")
def test_what_a_killed_child_leaves_behind_ends_before_it_is_started_again() -> None:
    with supervising(f"a={PARENT_OF_A_STRAY}") as supervisor:
        read_until(supervisor, "started")
        parent, stray = sorted(family_of(supervisor, 2), key=psutil.Process.create_time)
        parent.kill()
        read_until(supervisor, "starting it again")
        assert ended([stray])
        assert eventually(lambda: len(family(supervisor.pid)) == 2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can adopt orphans")
def test_a_child_that_was_there_before_is_left_alone() -> None:
    before = "sleep 1000 >/dev/null 2>&1"
    itself = f"{sys.executable} -m tests.processes.stand_in 5 'a={SLEEP}'"
    with running("/bin/sh", "-c", f"{before} & exec {itself}") as supervisor:
        read_until(supervisor, "started")
        stranger, own = sorted(family_of(supervisor, 2), key=psutil.Process.create_time)
        try:
            stop(supervisor)
            assert ended([own], 0.5)
            assert alive(stranger)
        finally:
            stranger.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of that death")
def test_when_the_supervisor_itself_is_killed_its_children_go_too() -> None:
    with supervising(f"a={SLEEP}", f"last={SLEEP}") as supervisor:
        read_until(supervisor, "started")
        children = family_of(supervisor, 2)
        supervisor.kill()
        assert ended(children)


def test_an_ending_is_told_in_words() -> None:
    assert how_it_ended(3) == "ended with status 3"
    assert how_it_ended(-9) == "was killed by SIGKILL"
    assert how_it_ended(-64) == "was killed by SIGRTMAX"
    assert how_it_ended(-99) == "was killed by signal 99"
