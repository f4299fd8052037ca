"""The web server with clients that send, or read, as slowly as they like."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cqrs_app.processes import connections
from cqrs_app.processes.connections import PacedUnreader
from tests.processes.running import eventually, free_port, start

SLOW = 40
UPLOAD = 1024 * 1024
HALVES = {
    "head": b"GET / HTTP/1.1\r\nHost: x\r\nX-Half: ",
    "body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
    "upload": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nhalf",
    "chunked": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf",
    "blank": b"\r\n\r\n",
    "next head": b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n",
    "last answer": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
}

Serve = Callable[..., int]

pytestmark = pytest.mark.slow


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """The port of a web server of one process with two threads, with these settings."""
    with ExitStack() as servers:

        def begin(**settings: Any) -> int:
            port = free_port()
            environment = {"PORT": port, "WEB_WORKERS": 1, "WEB_THREADS": 2, "DATA_DIR": tmp_path}
            given = {name: str(value) for name, value in (environment | settings).items()}
            server = start(
                *(sys.executable, "-m", "gunicorn"),
                *("-c", "python:cqrs_app.processes.gunicorn_conf", "tests.processes.slow_app:app"),
                environment=given,
                stderr=subprocess.DEVNULL,
            )
            servers.callback(server.wait)
            servers.callback(server.terminate)
            assert eventually(lambda: answers(port))
            return port

        yield begin


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def asked(port: int, body: bytes | None = None) -> tuple[int, bytes]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("POST" if body else "GET", "/", body)
    answer = client.getresponse()
    status, text = answer.status, answer.read()
    client.close()
    return status, text


def answers(port: int) -> bool:
    try:
        return asked(port)[0] == 200
    except OSError:
        return False


def answers_on(client: socket.socket, count: int) -> bytes:
    """So many answers, each with one digit, on a connection that stays open."""
    received = b""
    while received.count(b"\r\n\r\n") < count or received.endswith(b"\r\n\r\n"):
        piece = client.recv(4096)
        assert piece
        received += piece
    return received


def until_closed(client: socket.socket) -> bytes:
    received = b""
    while piece := client.recv(4096):
        received += piece
    return received


@pytest.mark.parametrize("half", HALVES)
def test_clients_that_stall_hold_up_nobody(serve: Serve, half: str) -> None:
    port = serve()
    with ExitStack() as clients:
        for _ in range(SLOW):
            clients.enter_context(connected(port)).sendall(HALVES[half])
        time.sleep(0.5)
        began = time.monotonic()
        assert asked(port) == (200, b"0")
        assert time.monotonic() - began < 8


def test_a_request_that_is_not_sent_in_time_is_over(serve: Serve) -> None:
    port = serve(REQUEST_SECONDS=1)
    for half in ("head", "body"):
        with connected(port) as client:
            client.sendall(HALVES[half])
            assert until_closed(client).startswith(b"HTTP/1.1 408 ")
    with connected(port) as client:
        assert until_closed(client) == b""


def test_a_head_without_end_is_refused(serve: Serve) -> None:
    with connected(serve()) as client:
        client.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 128 * 1024)
        assert until_closed(client).startswith(b"HTTP/1.1 431 ")


def test_one_address_has_so_many_connections(serve: Serve) -> None:
    port = serve(CONNECTIONS_PER_ADDRESS=3)
    with connected(port), connected(port), connected(port), connected(port) as fourth:
        assert until_closed(fourth) == b""
    assert eventually(lambda: answers(port))


def test_behind_a_proxy_its_address_has_any_number(serve: Serve) -> None:
    port = serve(CONNECTIONS_PER_ADDRESS=3, PROXY_HOPS=1)
    with connected(port), connected(port), connected(port):
        assert asked(port) == (200, b"0")


def test_requests_arrive_whole_however_they_are_sent(serve: Serve) -> None:
    port = serve()
    assert asked(port, b"x" * UPLOAD) == (200, str(UPLOAD).encode())
    with connected(port) as client:
        for piece in (
            b"\r\nPOST / HT",
            b"TP/1.1\r\nHost: x\r\ncontent-length:3\r\n\r",
            b"\na",
            b"bcGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ):
            client.sendall(piece)
            time.sleep(0.05)
        received = answers_on(client, 2)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nabcde\r\n0\r\n\r\n"
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        received += until_closed(client)
    bodies = [each.rsplit(b"\r\n", 1)[-1] for each in received.split(b"HTTP/1.1")]
    assert bodies == [b"", b"3", b"0", b"0", b"0", b"5", b"0"]


def test_more_uploads_than_threads_are_all_read(serve: Serve) -> None:
    port = serve()
    head = f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {UPLOAD}\r\n\r\n"
    with ExitStack() as clients:
        uploads = [clients.enter_context(connected(port)) for _ in range(5)]
        for upload in uploads:
            upload.sendall(head.encode())
        for upload in uploads:
            upload.sendall(b"x" * UPLOAD)
        answered = [until_closed(upload).rsplit(b"\r\n", 1)[-1] for upload in uploads]
    assert answered == [str(UPLOAD).encode()] * 5


def test_an_upload_below_the_slowest_rate_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "GRACE_SECONDS", 0.3)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        unreader = PacedUnreader(ours)
        unreader.begin(b"", is_upload=True)
        for _ in range(2):
            theirs.sendall(b"slow")
            assert unreader.chunk() == b"slow"
        with pytest.raises(TimeoutError):
            unreader.chunk()
        assert ours.gettimeout() is None
