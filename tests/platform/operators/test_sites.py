from __future__ import annotations

import pytest

from cqrs_app.platform.operators.sites import Site, site_of


@pytest.mark.parametrize(
    ("host", "trusted", "domain"),
    [
        ("desk.example", [], "desk.example"),
        ("localhost:8000", [], "localhost"),
        ("desk.example:8443", ["desk.example"], "desk.example"),
        ("a.desk.example", [".desk.example"], "desk.example"),
        ("a.desk.example", ["b.example", ".desk.example"], "desk.example"),
        ("a.desk.example", [".other.example"], "a.desk.example"),
        ("notdesk.example", [".desk.example"], "notdesk.example"),
    ],
)
def test_passkeys_belong_to_the_host_or_to_the_trusted_domain_above_it(
    host: str, trusted: list[str], domain: str
) -> None:
    assert site_of(host, "https", trusted) == Site(domain, f"https://{host}")
