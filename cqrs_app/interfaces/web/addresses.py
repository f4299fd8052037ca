"""Addresses in templates: worked out by the router once, then filled in.

A page of a list names a hundred: its places, and a page or two for every row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from flask import Flask, request

PATTERNS_KEPT = 512
SAFE = "!$&'()*+,/:;=@"
"""What Werkzeug leaves as it is in a part of a path."""
PLACE = "-identity-"
PROBE = "a/b?c=d&e %\N{SNOWMAN}"
PROBE_QUOTED = quote(PROBE, SAFE)

Pattern = tuple[str, str]


def init_addresses(app: Flask) -> None:
    """Give templates a `url_for` that says the same as Flask's."""
    pattern_of = _patterns(app)

    def url_for(endpoint: str, **values: Any) -> str:
        if len(values) > 1:
            return app.url_for(endpoint, **values)
        name, value = next(iter(values.items()), ("", ""))
        pattern = pattern_of(request.script_root, endpoint, name)
        if pattern is None or (name and not value):
            return app.url_for(endpoint, **values)
        return quote(str(value), SAFE).join(pattern)

    app.jinja_env.globals["url_for"] = url_for


def _patterns(app: Flask) -> Callable[[str, str, str], Pattern | None]:
    build: Callable[..., str] = app.url_for

    @lru_cache(PATTERNS_KEPT)
    def pattern_of(root: str, endpoint: str, name: str) -> Pattern | None:
        """What stands before and after the one value, or the whole and nothing where there is
        none; None for an address that is not of this kind."""
        if endpoint not in app.view_functions:
            return None
        arguments = [rule.arguments for rule in app.url_map.iter_rules(endpoint)]
        if arguments != [{name} if name else set()]:
            return None
        before, _, after = build(endpoint, **({name: PLACE} if name else {})).partition(PLACE)
        # Parts of a path that are no plain texts are left to the router.
        ordinary = not name or build(endpoint, **{name: PROBE}) == PROBE_QUOTED.join(
            (before, after)
        )
        return (before, after) if ordinary else None

    return pattern_of
