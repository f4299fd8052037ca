"""One keep-alive HTTP connection with almost no overhead, so that the server is what is timed."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """A response as received: `headers` by lower-case name, `body` as sent, `size` of
    everything."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int

    @property
    def text(self) -> str:
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()


class Browser:
    """Requests pages from one server over one connection, with gzip allowed, like a browser. It
    keeps one cookie, the last one received."""

    def __init__(self, port: int, **headers: str) -> None:
        self.port = port
        self.headers = {"Host": f"127.0.0.1:{port}", "Accept-Encoding": "gzip", **headers}
        self._socket: socket.socket | None = None

    def get(self, path: str, **headers: str) -> Reply:
        """The response to a GET. `headers` are added to those of every request, with dashes for
        underscores. If the server has closed the connection, a new one is opened."""
        return self._request("GET", path, b"", headers)

    def post(self, path: str, body: bytes, **headers: str) -> Reply:
        """The response to a POST; otherwise like `get`."""
        return self._request("POST", path, body, {**headers, "Content-Length": str(len(body))})

    def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        lines = {**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        request = f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode() + body
        if self._socket is not None:
            try:
                return self._ask(self._socket, request)
            except ConnectionError:
                self.close()
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._ask(self._socket, request)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, connection: socket.socket, request: bytes) -> Reply:
        connection.sendall(request)
        found = _more(connection)
        while b"\r\n\r\n" not in found:
            found += _more(connection)
        head, _, body = found.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in rest)
        }
        if "set-cookie" in headers:
            self.headers["Cookie"] = headers["set-cookie"].partition(";")[0]
        length = int(headers.get("content-length", 0))
        while len(body) < length:
            body += _more(connection)
        if headers.get("connection", "").lower() == "close":
            self.close()
        assert "transfer-encoding" not in headers, "this client reads bodies of a stated length"
        return Reply(int(first.split()[1]), headers, body, len(head) + 4 + len(body))


def _more(connection: socket.socket) -> bytes:
    found = connection.recv(262_144)
    if not found:
        raise ConnectionError("the server ended the connection")
    return found
