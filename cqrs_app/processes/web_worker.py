"""gunicorn's threaded worker, but with an event loop that receives the requests.

A thread gets a request once it is complete, so slow clients block no thread. Uploads are read by at
most half of the threads, and must arrive at a minimum rate. /healthz is answered at once,
even while every thread waits for a store. Why: docs/decisions/0013-slow-clients.md.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections import Counter, deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from cqrs_app.processes.connections import LARGEST_KEPT_BODY, Connection
from cqrs_app.settings import Settings

_HEALTH = re.compile(rb"(?:GET|HEAD) /healthz[ ?]")
_HEALTHY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n"
    b"Connection: close\r\nContent-Length: 3\r\n\r\n"
)

LINGER_SECONDS = 2.0
"""How long a client may read the last response before its connection is closed."""


class RequestWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Keeps three groups of connections: those it receives requests from, uploads that wait for a
    thread, and those that are closing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = Settings.from_environment()
        self._seconds = settings.request_seconds
        # Behind a proxy, every connection comes from the proxy.
        self._limit = 0 if settings.proxy_hops else settings.connections_per_address
        self._receiving: dict[Connection, None] = {}
        self._closing: dict[Connection, None] = {}
        self._by_network: Counter[str] = Counter()
        self._uploads = 0
        self._waiting_uploads: deque[Connection] = deque()

    def accept(self, listener: Any) -> None:
        """Accept a connection, unless its address has reached its limit."""
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection = AcceptedConnection(self, self.cfg, sock, client, listener.getsockname())
        if self._limit and self._by_network[connection.network] > self._limit:
            connection.close()
            return
        self.nr_conns += 1
        self.enqueue_req(connection)

    def enqueue_req(self, conn: Connection) -> None:
        """Receive the rest of the connection's next request."""
        conn.expect(time.monotonic() + self._seconds)
        self._receiving[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._receive, conn))
        if conn.is_complete():
            self._dispatch(conn)

    def _receive(self, conn: Connection, sock: socket.socket) -> None:
        piece = _received(sock)
        if piece is None:
            return
        conn.received += piece
        if not piece:
            self._drop(conn)
        elif conn.is_complete():
            self._dispatch(conn)
        elif conn.has_endless_head():
            self._drop(conn, _refusal("431 Request Header Fields Too Large"))

    def _dispatch(self, conn: Connection) -> None:
        if _HEALTH.match(conn.received):
            self._drop(conn, _HEALTHY + (b"ok\n" if conn.received.startswith(b"GET") else b""))
            return
        self._unregister(self._receiving, conn)
        if conn.is_upload and self._uploads >= max(1, self.cfg.threads // 2):
            self._waiting_uploads.append(conn)
        else:
            self._hand_over(conn)

    def _hand_over(self, conn: Connection) -> None:
        self._uploads += conn.is_upload
        conn.start_request()
        super().enqueue_req(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Finish the request like gunicorn, and start an upload that waits."""
        if conn.is_upload:
            conn.is_upload = False
            self._uploads -= 1
            if self._waiting_uploads:
                self._hand_over(self._waiting_uploads.popleft())
        super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Drop connections whose request is late, and close those that had time to read their
        response."""
        now = time.monotonic()
        for conn in list(self._receiving):
            if conn.deadline < now or not (self.alive or conn.received):
                self._drop(conn, _refusal("408 Request Timeout") if conn.received else b"")
        for conn in list(self._closing):
            if conn.deadline < now:
                self._unregister(self._closing, conn)
                conn.close()

    def linger(self, conn: Connection) -> None:
        """Close the connection once the client has read its response. The response would be cut off
        if bytes from the client were still unread (RFC 9112, 9.6)."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client has closed it
            conn.close()
            return
        conn.sock.setblocking(False)
        conn.deadline = time.monotonic() + LINGER_SECONDS
        self._closing[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._discard, conn))

    def _discard(self, conn: Connection, sock: socket.socket) -> None:
        if _received(sock) == b"":
            self._unregister(self._closing, conn)
            conn.close()

    def opened(self, network: str) -> None:
        self._by_network[network] += 1

    def closed(self, network: str) -> None:
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]

    def _drop(self, conn: Connection, answer: bytes = b"") -> None:
        self._unregister(self._receiving, conn)
        self.nr_conns -= 1
        if answer:
            try:
                conn.sock.send(answer)
            except OSError as error:
                self.log.debug("a client did not take %r: %s", answer, error)
        conn.close(graceful=bool(answer))

    def _unregister(self, place: dict[Connection, None], conn: Connection) -> None:
        del place[conn]
        self.poller.unregister(conn.sock)


class AcceptedConnection(Connection):
    """A connection that its worker counts while it is open."""

    def __init__(self, worker: RequestWorker, *args: Any) -> None:
        super().__init__(*args)
        self._worker = worker
        worker.opened(self.network)

    def close(self, graceful: bool = False) -> None:
        """With `graceful`, wait until the client has read the response."""
        if graceful:
            self._worker.linger(self)
        else:
            self._worker.closed(self.network)
            super().close()


def _refusal(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()


def _received(sock: socket.socket) -> bytes | None:
    """The bytes that have arrived; b"" at the end of the connection, None if there are none yet."""
    try:
        return sock.recv(LARGEST_KEPT_BODY)
    except BlockingIOError:
        return None
    except OSError:  # reset by the client
        return b""
