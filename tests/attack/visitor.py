"""An HTTP client that sends what no browser would, and keeps its cookies."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

PATIENCE_SECONDS = 30
_CSRF = re.compile(r'name="csrf_token"[^>]*?value="([^"]+)"')
Fields = Mapping[str, Any] | Sequence[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; names of headers are in lower case, and may occur twice."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        return next((value for each, value in self.headers if each == name), "")


@dataclass(slots=True)
class Visitor:
    """One client with one connection. `headers` go with every request."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    """The CSRF token of the session, once `csrf` has read it."""
    _connection: http.client.HTTPConnection | None = None

    def get(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, b"", headers)

    def post(self, path: str, fields: Fields | bytes = b"", **headers: str) -> Reply:
        """`fields` are sent as a form, bytes as they are."""
        body = fields if isinstance(fields, bytes) else urlencode(fields, doseq=True).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, body, kind | headers)

    def submit(self, path: str, **fields: Any) -> Reply:
        """A form of a page, with the token of the session."""
        token = self.csrf()
        return self.post(path, {"csrf_token": token, "proof-csrf_token": token} | fields)

    def post_json(self, path: str, value: Any) -> Reply:
        return self.post(path, json.dumps(value).encode(), **{"Content-Type": "application/json"})

    def csrf(self) -> str:
        if not self.token:
            for path in ("/account", "/sign-in"):
                if found := _CSRF.search(self.get(path).text):
                    self.token = found[1]
                    break
        return self.token

    def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The response. If the server has closed the connection, a new one is opened, once."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            given = {"Cookie": cookie} | given
        for last in (False, True):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self.port, timeout=PATIENCE_SECONDS
                )
            try:
                self._connection.request(method, path, body or None, self.headers | given)
                return self._read(self._connection.getresponse())
            except (ConnectionError, http.client.HTTPException):
                self.close()
                if last:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, response: http.client.HTTPResponse) -> Reply:
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        body = response.read()
        for name, value in headers:
            if name == "set-cookie":
                key, _, content = value.partition(";")[0].partition("=")
                self.cookies[key] = content
        return Reply(response.status, headers, body)


def raw(port: int, request: bytes, patience: float = 5.0) -> bytes:
    """All that the server sends in response to these bytes, until it closes the connection or is
    silent for `patience` seconds."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
        try:
            connection.sendall(request)
            while piece := connection.recv(65_536):
                received += piece
        except (TimeoutError, ConnectionError):
            pass
    return received
