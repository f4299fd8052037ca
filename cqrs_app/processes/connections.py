"""A connection whose requests are received by the event loop before a thread handles them."""

from __future__ import annotations

import re
import socket
import struct
import time
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

from cqrs_app.platform.operators.throttle import network_of

LARGEST_HEAD = 64 * 1024
LARGEST_KEPT_BODY = 64 * 1024
"""The largest body, in bytes, that the event loop receives. A larger one, an upload, is read by a
thread."""

GRACE_SECONDS = 10.0
SLOWEST_BYTES_PER_SECOND = 8 * 1024
"""The minimum average rate of an upload after the grace period."""

SEND_SECONDS = 30
"""How long a client may read nothing of its response."""

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_BODY = re.compile(rb"\r\n(content-length|transfer-encoding|expect)\b", re.IGNORECASE)


class PacedUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn ships no types
    """What the parser reads from: the bytes received so far and, for an upload, the rest from the
    socket, at a minimum rate."""

    def begin(self, received: bytes, *, is_upload: bool) -> None:
        """Start a request of which these bytes have been received."""
        self.unread(received)
        self._is_upload = is_upload
        self._began, self._count = time.monotonic(), 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes of an upload. Raises TimeoutError if they arrive too slowly."""
        if not self._is_upload:
            return b""
        allowed = GRACE_SECONDS + self._count / SLOWEST_BYTES_PER_SECOND
        left = self._began + allowed - time.monotonic()
        if left <= 0:
            raise TimeoutError("an upload came in too slowly")
        before = self.sock.gettimeout()
        self.sock.settimeout(left if before is None else min(left, before))
        try:
            piece: bytes = super().chunk(size_hint)
        finally:
            self.sock.settimeout(before)
        self._count += len(piece)
        return piece


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, with the part of its next request that has been received. The request
    must be complete by `deadline` (monotonic)."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.network = network_of(self.client[0]) if isinstance(self.client, tuple) else ""
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0)
        )
        self.received = bytearray()
        self.expect(0.0)

    def expect(self, deadline: float) -> None:
        """Prepare for the next request. Bytes received after the previous one belong to it."""
        self.sock.setblocking(False)
        self.deadline = deadline
        self.is_upload = False
        self._size: int | None = None
        self._searched = 0
        if self.initialized:
            self.received += self.parser.unreader.take_buffered()

    def is_complete(self) -> bool:
        """Whether a thread can handle the request: it is complete, or its head is and it is an
        upload."""
        if self._size is None:
            self._size = self._size_by_head()
        return self.is_upload or (self._size is not None and len(self.received) >= self._size)

    def has_endless_head(self) -> bool:
        return self._size is None and len(self.received) > LARGEST_HEAD

    def start_request(self) -> None:
        """Pass what was received to the parser."""
        if not self.initialized:
            self.init()
            self.parser.unreader = PacedUnreader(self.sock)
        self.parser.unreader.begin(bytes(self.received), is_upload=self.is_upload)
        self.received.clear()

    def _size_by_head(self) -> int | None:
        while self.received.startswith(b"\r\n"):  # RFC 9112, 2.2: ignored before a request
            del self.received[:2]
        end = self.received.find(_END, self._searched)
        if end < 0:
            self._searched = max(0, len(self.received) - len(_END) + 1)
            return None
        head = self.received[: end + 2]
        found, length = _BODY.findall(head), _LENGTH.search(head)
        size = int(length[1]) if length else 0
        self.is_upload = len(found) > bool(length) or size > LARGEST_KEPT_BODY
        return end + len(_END) + size
