"""Compresses responses for clients that accept gzip. A page holds a form token, perhaps beside
words that a stranger chose; the length of the compressed page could reveal the token, bit by bit,
to someone who listens in and can cause pages to be requested (the BREACH attack). So the gzip
header of each page carries a file name of random length, which browsers ignore. Django does the
same.
"""

from __future__ import annotations

import gzip
import io
import secrets
from functools import lru_cache

from flask import Flask, Response, request

TEXTS = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/problem+json",
        "image/svg+xml",
        "text/css",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)
SMALLEST_BYTES = 500
"""Below this a response fits into one packet anyway."""

PAGE_LEVEL = 4
FILE_LEVEL = 9
LONGEST_NAME = 100
FILES_KEPT = 64


def init_compression(app: Flask) -> None:
    """Compress texts: pages each time, static files once per process. Streamed responses are left
    alone.
    """

    @app.after_request
    def _compress(response: Response) -> Response:
        # The answer to most polls: there is nothing to be compressed, and no cache keeps it.
        if response.status_code == 204 or response.mimetype not in TEXTS:
            return response
        response.vary.add("Accept-Encoding")
        if _can_be_compressed(response):
            _replace(response)
        return response


def _can_be_compressed(response: Response) -> bool:
    return (
        response.status_code == 200
        and "Content-Encoding" not in response.headers
        and (request.endpoint == "static" or not response.is_streamed)
        and _size(response) >= SMALLEST_BYTES
        # Last, as the header has to be parsed: most answers of the API are small.
        and request.accept_encodings.quality("gzip") > 0
    )


def _size(response: Response) -> int:
    stated = response.headers.get("Content-Length")
    return int(stated or response.calculate_content_length() or 0)


def _replace(response: Response) -> None:
    if request.endpoint == "static":
        response.direct_passthrough = False
        response.set_data(_packed_file(response.get_data()))
        # Not the same bytes any more: only a weak tag may stand for both.
        etag, _ = response.get_etag()
        if etag:
            response.set_etag(etag, weak=True)
    else:
        response.set_data(packed_page(response.get_data()))
    response.headers["Content-Encoding"] = "gzip"


@lru_cache(FILES_KEPT)
def _packed_file(content: bytes) -> bytes:
    return gzip.compress(content, FILE_LEVEL, mtime=0)


def packed_page(content: bytes) -> bytes:
    """The page compressed, its length blurred by a random name."""
    packed = io.BytesIO()
    name = "x" * secrets.randbelow(LONGEST_NAME)
    with gzip.GzipFile(name, "wb", PAGE_LEVEL, packed, mtime=0) as file:
        file.write(content)
    return packed.getvalue()
