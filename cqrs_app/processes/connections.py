"""A connection whose requests are received before a thread gets them."""

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
"""Bytes of a body that the event loop receives; a larger one, an upload, is read by a thread."""

GRACE_SECONDS = 10.0
SLOWEST_BYTES_PER_SECOND = 8 * 1024
"""What an upload must come in at, on average, after the grace."""

SEND_SECONDS = 30
"""How long a client may take nothing of its response."""

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_BODY = re.compile(rb"\r\n(content-length|transfer-encoding|expect)\b", re.IGNORECASE)


class PacedUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn ships no types
    """What the parser reads from: what was received, and of an upload the rest from the socket, at
    a slowest rate."""

    def begin(self, received: bytes, *, is_upload: bool) -> None:
        """Start a request of which this much is here."""
        self.unread(received)
        self._is_upload = is_upload
        self._began, self._count = time.monotonic(), 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes of an upload. Raises TimeoutError when they come in too slowly."""
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
    """A client's connection with what has been received of its next request, which must be there
    by `deadline` (monotonic)."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.network = network_of(self.client[0]) if isinstance(self.client, tuple) else ""
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0)
        )
        self.received = bytearray()
        self.expect(0.0)

    def expect(self, deadline: float) -> None:
        """Get ready for the next request; what came with the one before is part of it."""
        self.sock.setblocking(False)
        self.deadline = deadline
        self.is_upload = False
        self._size: int | None = None
        self._searched = 0
        if self.initialized:
            self.received += self.parser.unreader.take_buffered()

    def is_complete(self) -> bool:
        """Whether a thread can have the request: all of it is here, or the head of an upload."""
        if self._size is None:
            self._size = self._size_by_head()
        return self.is_upload or (self._size is not None and len(self.received) >= self._size)

    def has_endless_head(self) -> bool:
        return self._size is None and len(self.received) > LARGEST_HEAD

    def start_request(self) -> None:
        """Let the parser have what was received."""
        if not self.initialized:
            self.init()
            self.parser.unreader = PacedUnreader(self.sock)
        self.parser.unreader.begin(bytes(self.received), is_upload=self.is_upload)
        self.received.clear()

    def _size_by_head(self) -> int | None:
        while self.received.startswith(b"\r\n"):  # RFC 9112, 2.2: before a request it is ignored
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
