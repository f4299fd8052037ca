"""JSON responses: decimals as text, times in UTC, an entity tag for polling."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from flask import Response, request

encoded = msgspec.json.Encoder(decimal_format="string").encode


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encoded(value), status, headers, mimetype="application/json")


def tagged(value: Any, identity: Any) -> Response:
    """The value with a weak entity tag of `identity`; 304 without it if the client has it."""
    response = answer(value)
    response.set_etag(hashlib.sha256(encoded(identity)).hexdigest()[:32], weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)  # type: ignore[return-value]
