"""Security events as other systems read them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cqrs_app.platform.audit.entries import AuditEntry
from cqrs_app.platform.audit.kinds import KINDS, Kind
from cqrs_app.platform.audit.ocsf import ocsf
from cqrs_app.platform.audit.sinks import Line, syslog_message

AT = datetime(2026, 3, 1, 9, 0, 0, 250_000, tzinfo=UTC)
ENTRY = AuditEntry(
    event_id="evt_0123",
    at=AT,
    since=AT,
    kind="sign_in_refused",
    success=False,
    who="",
    account="mia",
    about="",
    channel="form",
    address="203.0.113.7",
    session="",
    detail="sign-in refused",
    count=3,
)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_class_and_an_activity(kind: Kind) -> None:
    found = ocsf(replace(ENTRY, kind=str(kind)), console="c0ffee00", release="1.0")
    assert found["type_uid"] == found["class_uid"] * 100 + found["activity_id"]
    assert found["class_uid"] // 1000 == found["category_uid"]
    assert found["message"] == KINDS[kind].label
    assert found["unmapped"]["kind"] == kind


def test_a_refused_sign_in_reads_as_the_schema_has_it() -> None:
    found = ocsf(ENTRY, console="c0ffee00", release="1.0")
    assert found["class_name"] == "Authentication"
    assert (found["status_id"], found["severity_id"], found["count"]) == (2, 3, 3)
    assert found["user"] == {"name": "mia"}
    assert found["src_endpoint"] == {"ip": "203.0.113.7"}
    assert "actor" not in found
    assert found["time"] == 1_772_355_600_250
    assert found["metadata"]["uid"] == "evt_0123"


def test_who_did_it_has_a_session() -> None:
    entry = replace(ENTRY, who="mia", session="0a1b", kind="signed_in", success=True)
    found = ocsf(entry, console="c0ffee00", release="1.0")
    assert found["actor"] == {"user": {"name": "mia"}, "session": {"uid": "0a1b"}}
    assert found["status"] == "Success"


def test_a_message_to_syslog_is_that_of_rfc_5424() -> None:
    message = syslog_message(Line("evt_1", AT, False, '{"a":"ä"}'), "desk.example", 71)
    head, _, body = message.partition(b"\xef\xbb\xbf")
    assert re.fullmatch(rb"<108>1 2026-03-01T09:00:00\.250000Z desk\.example \S+ 71 audit - ", head)
    assert body == '{"a":"ä"}'.encode()
    assert syslog_message(Line("evt_1", AT, True, "{}"), "", 1).startswith(b"<110>1 ")
