"""One text for one e-mail address."""

from __future__ import annotations

import pytest

from cqrs_app.standards.email import email_address, email_key

ANA = "ana@example.org"


@pytest.mark.parametrize(
    "written", [ANA, "Ana@EXAMPLE.org", "\uff41\uff4e\uff41@example.org", "ana@\uff45xample.org"]
)
def test_spellings_of_one_address_have_one_key(written: str) -> None:
    assert email_key(email_address(written)) == ANA


def test_a_domain_is_compared_in_its_ascii_form() -> None:
    spellings = ("ana@b\u00fccher.example.com", "ana@xn--bcher-kva.example.com")
    assert {email_address(each) for each in spellings} == {"ana@b\u00fccher.example.com"}
    assert {email_key(each) for each in spellings} == {"ana@xn--bcher-kva.example.com"}


@pytest.mark.parametrize(
    "text",
    ["ana", "ana@", "@x.org", "a@b", "an\u200ba@example.org", "ana@exam\u00adple.org"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="e-mail address"):
        email_address(text)


def test_an_address_of_an_older_event_still_has_a_key() -> None:
    assert email_key("Root@localhost") == "root@localhost"
