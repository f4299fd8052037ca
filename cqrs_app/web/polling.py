"""Answers to polls: nothing is sent, and nothing swapped, when nothing has changed.

A tag has up to two parts: of what the fragment was made from, where that is known, and of its
content. A poll that brings the first part again is answered without a question being asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import cast

from flask import Response, current_app, g, request

from cqrs_app.kernel.messages import Query
from cqrs_app.kernel.standing import Standing
from cqrs_app.web import asking

TAG = "HX-PTag"


def fragment(html: str) -> Response:
    """The fragment with a tag of its content; 204 when the page holds this content already."""
    return _tagged(html, _digest(html))


def following(query: type[Query], render: Callable[[], str]) -> Response:
    """The fragment that `render` makes from answers to this query and from the address alone.

    What it makes must depend on nothing else, the time included: while the query's projections
    and the log stand where they stood, it is not called again.
    """
    declaration = query.declaration
    made_from = _made_from(declaration.reads)
    held = request.headers.get(TAG, "").partition(".")[0]
    if held == made_from and asking.may(declaration.permission):
        return Response(status=204)
    html = render()
    return _tagged(html, f"{made_from}.{_digest(html)}")


def _made_from(reads: Sequence[str]) -> str:
    standing = cast("Standing", current_app.extensions["standing"]).of(*reads)
    # Somebody else, or another list in the same place of the page, may be shown another fragment.
    return _digest(f"{standing}\n{g.operator.name}\n{g.operator.role}\n{request.full_path}")


def _tagged(html: str, tag: str) -> Response:
    unchanged = request.headers.get(TAG, "").rpartition(".")[2] == tag.rpartition(".")[2]
    return Response(None if unchanged else html, 204 if unchanged else 200, {TAG: tag})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
