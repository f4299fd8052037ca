"""Names in notes."""

from __future__ import annotations

import pytest

from cqrs_app.platform.notifications.mentions import mentioned


@pytest.mark.parametrize(
    ("note", "names"),
    [
        ("@ana please call them", ("ana",)),
        ("Ask @Ana, then @ben.k.", ("ana", "ben.k")),
        ("@ana @ana", ("ana",)),
        ("(@ana)", ("ana",)),
        ("write to ana@example.org", ()),
        ("a.@b @ @@ana", ()),
        ("", ()),
    ],
)
def test_a_name_after_an_at_sign_is_mentioned(note: str, names: tuple[str, ...]) -> None:
    assert mentioned(note) == names
