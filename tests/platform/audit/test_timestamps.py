"""Time stamps by RFC 3161 of a real authority."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cqrs_app.platform.audit.timestamps import NotStamped, stamp, stamped_at
from tests.platform.audit.authority import authority
from tests.platform.webhooks.receiver import Receiver

HERE = (ipaddress.ip_network("127.0.0.0/8"),)
CONTENT = b"the newest seals"


@pytest.fixture
def stamping(tmp_path: Path) -> Iterator[Receiver]:
    with authority(tmp_path / "authority") as server:
        yield server


def roots(tmp_path: Path) -> bytes:
    return (tmp_path / "authority" / "root.pem").read_bytes()


def test_a_time_stamp_proves_the_time_of_its_content_only(
    stamping: Receiver, tmp_path: Path
) -> None:
    stamped = stamp(stamping.url, CONTENT, HERE)
    assert CONTENT not in stamping.received[0].body, "the authority gets the digest"
    at = stamped_at(stamped, CONTENT, roots(tmp_path))
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    with pytest.raises(NotStamped, match="does not hold"):
        stamped_at(stamped, b"other seals", roots(tmp_path))
    with authority(tmp_path / "other"), pytest.raises(NotStamped, match="does not hold"):
        stamped_at(stamped, CONTENT, (tmp_path / "other" / "root.pem").read_bytes())
    with pytest.raises(NotStamped, match="not PEM"):
        stamped_at(stamped, CONTENT, b"no certificate")


def test_a_stamp_of_another_request_is_not_taken(stamping: Receiver) -> None:
    earlier = stamp(stamping.url, CONTENT, HERE)
    stamping.body = lambda request: earlier
    with pytest.raises(NotStamped, match="something else"):
        stamp(stamping.url, CONTENT, HERE)


def test_what_is_no_stamp_gets_a_sentence(stamping: Receiver) -> None:
    stamping.body = lambda request: b"<html>"
    with pytest.raises(NotStamped, match="no time stamp"):
        stamp(stamping.url, CONTENT, HERE)
    stamping.answer = lambda request: 503
    with pytest.raises(NotStamped, match="503"):
        stamp(stamping.url, CONTENT, HERE)


def test_what_the_authority_refuses_is_not_stamped(stamping: Receiver) -> None:
    # PKIStatus 2, a rejection, without a token.
    stamping.body = lambda request: bytes.fromhex("30053003020102")
    with pytest.raises(NotStamped, match="refused"):
        stamp(stamping.url, CONTENT, HERE)
