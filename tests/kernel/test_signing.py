"""Signatures, against the example that the specification's own libraries are tested with."""

from __future__ import annotations

import base64

import pytest

from cqrs_app.kernel.signing import NotGenuine, headers, new_secret, require_genuine, signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
PUBLISHED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example_is_signed_as_published() -> None:
    assert signature(SECRET, ID, AT, BODY) == PUBLISHED


def test_while_a_secret_is_changed_there_are_two_signatures() -> None:
    made = headers([new_secret(), SECRET], ID, AT, BODY)
    assert made["webhook-id"] == ID
    assert made["webhook-timestamp"] == str(AT)
    first, second = made["webhook-signature"].split(" ")
    assert first.startswith("v1,")
    assert first != second == PUBLISHED


def test_a_secret_is_random_and_long_enough() -> None:
    one, other = new_secret(), new_secret()
    assert one != other
    assert one.startswith("whsec_")
    assert len(base64.b64decode(one.removeprefix("whsec_"))) == 32


def test_a_genuine_message_is_told_by_its_signature_and_its_time() -> None:
    sent = headers([new_secret(), SECRET], ID, AT, BODY)
    assert require_genuine(SECRET, sent, BODY, AT + 300) == (ID, AT)
    assert require_genuine(SECRET, sent, BODY, AT - 300) == (ID, AT)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,\ud800"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "\u0661"},
        {"webhook-id": ""},
        {"webhook-id": "a b"},
    ],
)
def test_a_message_with_another_header_is_not_genuine(changed: dict[str, str]) -> None:
    sent = headers([SECRET], ID, AT, BODY) | changed
    with pytest.raises(NotGenuine):
        require_genuine(SECRET, sent, BODY, AT)


@pytest.mark.parametrize("late", [-301, 301])
def test_an_old_or_an_early_message_is_not_genuine(late: int) -> None:
    with pytest.raises(NotGenuine, match="five minutes"):
        require_genuine(SECRET, headers([SECRET], ID, AT, BODY), BODY, AT + late)


def test_another_body_is_not_genuine() -> None:
    with pytest.raises(NotGenuine, match="signature"):
        require_genuine(SECRET, headers([SECRET], ID, AT, BODY), BODY + b" ", AT)
