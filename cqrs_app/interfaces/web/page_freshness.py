"""The freshness of a page: that of its least fresh panel, shown once at the top."""

from __future__ import annotations

from flask import Flask, g

from cqrs_app.kernel.queries.freshness import Freshness

WORST = ("current", "behind", "stale", "rebuilding", "paused", "failed")
"""From the best state to the worst."""


def init_page_freshness(app: Flask) -> None:
    """Give templates `panel_freshness(f)`, which records it, and `page_freshness()`."""
    app.jinja_env.globals.update(panel_freshness=panel_freshness, page_freshness=page_freshness)


def panel_freshness(freshness: Freshness, follow: bool = False) -> bool:
    """Record a panel's freshness, and whether its mark renews itself; returns whether it is an
    exception, which the panel shows itself.
    """
    _seen().append((freshness, follow))
    return freshness.state != "current" or bool(freshness.parked)


def page_freshness() -> tuple[Freshness, bool] | None:
    """That of the least fresh panel rendered for this request, and whether its mark renews itself;
    None where there is no panel."""
    return max(_seen(), key=_badness, default=None)


def _badness(seen: tuple[Freshness, bool]) -> tuple[int, float]:
    freshness, _ = seen
    return WORST.index(freshness.state), -freshness.as_of.timestamp()


def _seen() -> list[tuple[Freshness, bool]]:
    found: list[tuple[Freshness, bool]] = g.setdefault("freshness", [])
    return found
