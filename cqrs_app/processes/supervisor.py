"""Keeps a few child processes running and stops all of them at the end.

Children are forked and share the memory of what this process has loaded. The supervisor is passive:
its owner calls `tick` a few times a second and `stop` at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

from cqrs_app.processes import forking, kinship

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# After this many seconds a child has recovered, and its next failure starts at FIRST_PAUSE again.
STEADY_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class Program:
    """A program: `name` is shown in log lines and by `ps`, `run` is called in the child process,
    and `stop_last` makes it outlive the others at the end."""

    name: str
    run: Callable[[], object]
    stop_last: bool = False


@dataclass(slots=True)
class Child:
    """A program and its current process; `process` is None while it waits for its restart."""

    program: Program
    process: BaseProcess | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    due_at: float = 0.0
    last_status: int | None = None

    def alive(self) -> bool:
        return self.process is not None and self.process.is_alive()


@dataclass(slots=True)
class Supervisor:
    """Owns child processes. `say` is called with one line per event; `grace` is the time to stop,
    in seconds."""

    say: Callable[[str], None]
    grace: float = 10.0
    children: list[Child] = field(default_factory=list)
    # Children that this process had before. The supervisor does not end them.
    preexisting: set[int] = field(default_factory=kinship.children)

    def start(self, program: Program) -> Child:
        """Run `program`, and run it again whenever it ends."""
        child = Child(program)
        self.children.append(child)
        self._run(child)
        return child

    def discard(self, child: Child) -> None:
        """Kill `child` and forget it."""
        self.children.remove(child)
        if child.process is not None:
            child.process.kill()
            child.process.join()

    def tick(self) -> None:
        """Detect processes that have ended, restart those that are due, reap adopted orphans."""
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and (status := child.process.exitcode) is not None:
                self._plan_restart(child, status, now)
            if child.process is None and now >= child.due_at:
                # Orphans of a killed child may still hold its port or its work.
                kinship.kill_and_reap(self._orphans())
                self._run(child)
        for pid in self._orphans():
            kinship.reap(pid)

    def stop(self) -> None:
        """Terminate all children, and kill them after `grace` seconds.

        A signal handler may set `grace` to 0 in the meantime, which ends the wait.
        """
        first = [child for child in self.children if not child.program.stop_last]
        last = [child for child in self.children if child.program.stop_last]
        for group in (first, last):
            self._end(group, time.monotonic() + self.grace)
        while orphans := self._orphans():
            kinship.kill_and_reap(orphans)

    def _run(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.process = forking.fork(child.program.name, child.program.run)

    def _plan_restart(self, child: Child, status: int, now: float) -> None:
        child.last_status = status
        child.process = None
        if now - child.started_at >= STEADY_AFTER:
            child.pause = FIRST_PAUSE
        child.due_at = now + child.pause
        how = kinship.how_it_ended(status)
        self.say(f"{child.program.name} {how}; starting it again in {child.pause:g} s.")
        child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _orphans(self) -> set[int]:
        own = {child.process.pid for child in self.children if child.process is not None}
        return kinship.children() - own - self.preexisting

    def _end(self, group: Iterable[Child], deadline: float) -> None:
        running = [child.process for child in group if child.process is not None]
        for process in running:
            process.terminate()
        for process in running:
            while process.is_alive() and time.monotonic() < deadline and self.grace > 0:
                time.sleep(0.02)
            if process.is_alive():
                process.kill()
                process.join()
