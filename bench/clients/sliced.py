"""Clients in separate processes, which take turns like other sides: see slices.py."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.case import Unavailable
from bench.rounds import Slice
from tests.processes.running import PROJECT

PATIENCE_SECONDS = 120


class Client:
    """One client process. `begin` starts a slice in it, `result` waits for the rate of that
    slice."""

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path = PROJECT
    ) -> None:
        self._name = " ".join(map(str, command))
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        """Raises Unavailable if the program ends instead. Its standard error shows why."""
        patience = threading.Timer(PATIENCE_SECONDS, self._process.kill)
        patience.start()
        line = self._read()
        patience.cancel()
        if line != "ready":
            raise Unavailable(f"{self._name} did not start")

    def begin(self, seconds: float) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"run {seconds}\n")
        self._process.stdin.flush()

    def result(self) -> float:
        """The figure of the last slice."""
        return float(self._read())

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@contextmanager
def together(
    commands: Sequence[Sequence[str | Path]],
    environment: Mapping[str, str],
    folder: Path = PROJECT,
) -> Iterator[Slice]:
    """A slice in which these clients run in parallel; returns the sum of their rates.

    They are started one after the other, since the first may have to create tables.
    """
    with ExitStack() as stack:
        clients = []
        for command in commands:
            client = Client(command, environment, folder)
            stack.callback(client.close)
            client.wait_until_ready()
            clients.append(client)

        def run(seconds: float) -> float:
            for client in clients:
                client.begin(seconds)
            return sum(client.result() for client in clients)

        yield run


def notes(kind: str, clients: int, streams: int) -> Sequence[Sequence[str]]:
    """The command lines of this many clients of this kind ("product", "raw": see client.py), with
    this many streams in total."""
    each = str(streams // clients)
    names = [f"C{number}N" for number in range(clients)]
    return [[sys.executable, "-m", "bench.clients.client", kind, name, each] for name in names]
