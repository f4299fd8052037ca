"""A time is typed and shown again in the zone of whoever looks at it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from flask import Flask, g

from cqrs_app.interfaces.web.zones import moment_to_type, shop_zone, typed_moment


@pytest.mark.parametrize(
    ("zone", "typed", "meant"),
    [
        ("Asia/Tokyo", "2026-03-31T14:05", "2026-03-31T05:05:00"),
        ("America/New_York", "2026-03-31T22:05:30", "2026-04-01T02:05:30"),
        ("", "2026-03-31T14:05", "2026-03-31T14:05:00"),
    ],
)
def test_what_is_typed_in_the_zone_of_an_operator_is_shown_again_as_typed(
    shared_console: Flask, zone: str, typed: str, meant: str
) -> None:
    with shared_console.test_request_context():
        assert shop_zone().key == "UTC"
        g.operator = SimpleNamespace(timezone=zone)
        moment = typed_moment(typed)
        assert moment == datetime.fromisoformat(meant).replace(tzinfo=UTC)
        assert moment_to_type(moment) == typed
        assert typed_moment(f"{typed}Z") == datetime.fromisoformat(f"{typed}Z")


def test_a_time_that_the_clocks_skip_in_the_zone_of_an_operator_is_refused(
    shared_console: Flask,
) -> None:
    with shared_console.test_request_context():
        g.operator = SimpleNamespace(timezone="America/New_York")
        with pytest.raises(ValueError, match="the clocks went forward"):
            typed_moment("2026-03-08T02:30")
