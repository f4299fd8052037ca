"""Templates' `url_for` says what Flask's says."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

NAMED: list[tuple[str, dict[str, Any]]] = [
    ("web.orders", {}),
    ("web.order", {"order_id": "10042"}),
    ("web.order", {"order_id": "a/b c?d=e&f#g %41 \N{SNOWMAN}<>\"'"}),
    ("web.order_now", {"order_id": "../x"}),
    ("web.order", {"order_id": "7", "lines": "all"}),
    ("web.orders", {"q": "a b"}),
    ("web.export", {"name": "ListOrders", "ending": "csv"}),
    ("static", {"filename": "mark.svg"}),
]


@pytest.mark.parametrize(("endpoint", "values"), NAMED)
@pytest.mark.parametrize("root", ["", "/shop"])
def test_an_address_is_the_one_the_router_builds(
    app: Flask, endpoint: str, values: dict[str, Any], root: str
) -> None:
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
        told: Any = app.jinja_env.globals["url_for"]
        assert told(endpoint, **values) == app.url_for(endpoint, **values)
        assert told(endpoint, **values) == app.url_for(endpoint, **values)


@pytest.mark.parametrize("endpoint", ["web.order", "web.nowhere"])
def test_an_address_that_cannot_be_built_is_an_error_here_too(app: Flask, endpoint: str) -> None:
    with app.test_request_context("/"), pytest.raises(Exception, match="Could not build url"):
        app.jinja_env.globals["url_for"](endpoint)  # type: ignore[operator]
