"""Many connections that send or read as slowly as they can, while others want to work."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import psutil

from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import REQUEST_SECONDS, Target
from tests.processes.running import eventually

SLOW = 150
"""At once, of each kind: fewer than one address may have."""
MOST_SECONDS = 5.0
GRACE_SECONDS = 3.0
HEAD = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n"
KINDS = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ",
    "half a body": HEAD + b"Content-Length: 10\r\n\r\nhalf",
    "half an upload": HEAD + b"Content-Length: 1000000\r\n\r\nhalf",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nha",
    "responses that nobody reads": b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 50,
}

LONGER = frozenset({"half an upload", "half a chunk", "responses that nobody reads"})
"""They stay longer, by design: uploads are read by half of the threads, a few at a time, for ten
seconds and more each, and a response may be read slowly. Others work on meanwhile."""


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    for name, beginning in KINDS.items():
        yield stalled(target, name, beginning)
        assert eventually(lambda: not _noticing(target)), "closed connections are kept"
    yield trickled(target)


def stalled(target: Target, name: str, beginning: bytes) -> Outcome:
    """Someone who is signed in works on meanwhile, and the connections are closed in time."""
    outcome = Outcome(f"slow sockets: {name}")
    visitor, slowest = target.operator("admin"), 0.0
    with ExitStack() as stack:
        clients = []
        for _ in range(SLOW):
            client = socket.create_connection(("127.0.0.1", target.port), timeout=1)
            clients.append(stack.enter_context(client))
            with suppress(OSError):
                client.sendall(beginning)
        began = time.monotonic()
        while time.monotonic() - began < REQUEST_SECONDS:
            asked = time.monotonic()
            status = visitor.get("/account").status
            slowest = max(slowest, time.monotonic() - asked)
            outcome.expect(status == 200, f"{name}: others got {status}")
            outcome.expect(slowest < MOST_SECONDS, f"{name}: others waited {slowest:.1f} s")
        if name not in LONGER:
            time.sleep(GRACE_SECONDS)
            open_still = sum(not _closed(client) for client in clients)
            outcome.expect(open_still == 0, f"{name}: {open_still} connections are open still")
    outcome.figure = f"{SLOW} at once, others waited {slowest * 1000:.0f} ms at most"
    return outcome


def _noticing(target: Target) -> bool:
    """Whether the server has yet to notice that clients are gone, whose connections still count
    against the limit of their address."""
    return any(
        each.laddr[1:] == (target.port,) and each.status == psutil.CONN_CLOSE_WAIT
        for each in psutil.net_connections("tcp")
    )


def _closed(client: socket.socket) -> bool:
    """Whether the server has ended the connection, after what it may have said of it."""
    client.settimeout(0.5)
    try:
        while client.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def trickled(target: Target) -> Outcome:
    """A head that comes byte by byte for ever: it ends like one that stalls."""
    outcome = Outcome("slow sockets: a byte at a time")
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", target.port), timeout=1))
            for _ in range(20)
        ]
        began = time.monotonic()
        while time.monotonic() - began < REQUEST_SECONDS + GRACE_SECONDS:
            for client in clients:
                with suppress(OSError):
                    client.sendall(b"G")
            time.sleep(0.2)
        for client in clients:
            outcome.expect(_closed(client), "a connection that sends for ever is open still")
    return outcome
