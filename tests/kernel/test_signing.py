"""Signatures, against the example that the specification's own libraries are tested with."""

from __future__ import annotations

import base64

from cqrs_app.kernel.signing import headers, new_secret, signature

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
