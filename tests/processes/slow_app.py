"""The application for tests of slow clients: responds with the number of bytes in the body."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    source, count = environ["wsgi.input"], 0
    while piece := source.read(64 * 1024):
        count += len(piece)
    answer = str(count).encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
