"""The table of rate limits, against the code."""

from __future__ import annotations

import re

from cqrs_app.interfaces.api.limits import GUESSES_PER_MINUTE
from cqrs_app.platform.operators.openid_provider import KEYS_REST_SECONDS
from cqrs_app.platform.operators.throttle import LONGEST_PAUSE
from cqrs_app.settings import Settings
from tests.processes.running import PROJECT

ROW = re.compile(r"^\| (.+) \| ([\d,]+) \| (.+) \| (?:`([A-Z_]+)` )?\|$", re.MULTILINE)
CONSTANTS = {
    "seconds of the longest pause": LONGEST_PAUSE.total_seconds(),
    "API requests with unknown tokens a minute": GUESSES_PER_MINUTE,
    "seconds between two looks at the OpenID provider's keys": KEYS_REST_SECONDS,
}


def rows() -> list[tuple[str, ...]]:
    text = (PROJECT / "docs" / "operating.md").read_text()
    section = text.partition("## Rate limits")[2].partition("\n## ")[0]
    return ROW.findall(section)


def test_each_limit_is_that_of_the_code() -> None:
    settings = Settings()
    for what, shown, _, setting in rows():
        value = getattr(settings, setting.lower()) if setting else CONSTANTS[what]
        assert float(shown.replace(",", "")) == value, what


def test_each_limit_is_in_the_table() -> None:
    named = {setting.lower() for *_, setting in rows() if setting}
    names = set(Settings.__dataclass_fields__)
    limits = {
        name
        for name in names
        if name.startswith(("sign_in_", "max_concurrent"))
        or name.endswith("per_minute")
        or name in ("connections_per_address", "request_seconds")
    }
    assert named == limits
    assert CONSTANTS.keys() <= {what for what, *_ in rows()}
