"""`--fast`: only tests that need nothing but Python and SQLite."""

from __future__ import annotations

import pytest

SERVICES = {"postgres_server", "redis_server", "browser"}
"""Fixtures that start other programs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast",
        action="store_true",
        help="leave out tests that ask for PostgreSQL, Redis or a browser, or are marked slow",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fast"):
        left_out = [item for item in items if not is_fast(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if is_fast(item)]


def is_fast(item: pytest.Item) -> bool:
    """Whether it is not slow and uses no service, neither as a fixture nor as its kind of
    database."""
    if not isinstance(item, pytest.Function):
        return True
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return not (
        SERVICES & set(item.fixturenames)
        or "postgresql" in (parameters.get("kind"), parameters.get("shared_kind"))
        or item.get_closest_marker("slow")
    )
