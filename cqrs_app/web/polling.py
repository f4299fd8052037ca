"""Answers to polls: nothing is sent, and nothing swapped, when nothing has changed."""

from __future__ import annotations

import hashlib

from flask import Response, request


def fragment(html: str) -> Response:
    """The fragment with a tag of its content; 204 when the page holds this content already."""
    tag = hashlib.sha256(html.encode()).hexdigest()[:20]
    if request.headers.get("HX-PTag") == tag:
        return Response(status=204)
    return Response(html, headers={"HX-PTag": tag})
