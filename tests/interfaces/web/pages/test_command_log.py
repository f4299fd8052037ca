"""What the command log lists, and what it leaves out."""

from __future__ import annotations

from datetime import UTC, datetime

from bs4 import BeautifulSoup
from flask import Flask

from cqrs_app.kernel.commands.context import Actor, Context, new_id
from cqrs_app.platform.audit.commands import RECORD, RecordSecurityEvent
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import client_in

BY_ITSELF = "Record security event"


def test_what_the_console_does_by_itself_is_left_out_until_it_is_asked_for(console: Flask) -> None:
    recorded = RecordSecurityEvent(recorder=new_id(), kind=Kind.SIGNED_IN, since=datetime.now(UTC))
    by_itself = Context(actor=Actor("audit", frozenset({RECORD})), channel="system")
    services_of(console).kernel.commands.execute(recorded, by_itself)
    admin = client_in(console, "admin")

    def downloaded(address: str) -> bool:
        page = BeautifulSoup(admin.get(address).text, "html.parser")
        csv, *_ = [
            each["href"] for each in page.select("a[download]") if ".csv" in str(each["href"])
        ]
        answer = admin.get(str(csv))
        assert answer.status_code == 200, answer.text
        return RecordSecurityEvent.__name__ in answer.text

    def listed(address: str) -> tuple[bool, list[str]]:
        page = BeautifulSoup(admin.get(address).text, "html.parser")
        actions = [each.get_text() for each in page.select("#log-table th a")]
        return BY_ITSELF in actions, [str(each["href"]) for each in page.select("p.quiet a")]

    left_out, [all_of_it] = listed("/log")
    assert not left_out
    assert listed(all_of_it) == (True, ["/log"])
    assert listed("/log?operator=audit") == (True, [])
    assert listed("/log?outcome=succeeded") == (True, [])
    assert not downloaded("/log")
    assert downloaded(all_of_it)
