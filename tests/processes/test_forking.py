"""What is done in a child process, by a parent with one thread as the supervisor is."""

from __future__ import annotations

import textwrap

from tests.processes.running import run_python


def calling(function: str) -> str:
    """What a process writes that has `function` called in a child."""
    script = f"""
        import os, signal, threading
        from cqrs_app.processes.forking import call_in_child
        from cqrs_app.processes.preflight import CannotStart

        {textwrap.indent(textwrap.dedent(function), " " * 8).strip()}

        try:
            print("returned", call_in_child("The work", work))
        except (Exception, SystemExit) as error:
            print("raised", repr(error))
        print(threading.active_count(), "thread")
    """
    done = run_python("-c", textwrap.dedent(script))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_child_hands_over_what_it_returns_and_takes_its_threads_along() -> None:
    work = """
    def work():
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return os.getppid(), threading.active_count()
    print(os.getpid())
    """
    parent, returned, threads = calling(work).splitlines()
    assert returned == f"returned ({parent}, 2)"
    assert threads == "1 thread"


def test_what_a_child_raises_is_raised_in_its_parent() -> None:
    for error in ("CannotStart('No room.')", "SystemExit('ADMIN_NAME cannot be used.')"):
        assert f"raised {error}" in calling(f"def work(): raise {error}")


def test_a_child_that_is_killed_is_an_error_that_says_so() -> None:
    written = calling("def work(): os.kill(os.getpid(), signal.SIGKILL)")
    assert "raised ChildProcessError('The work was killed by SIGKILL')" in written
