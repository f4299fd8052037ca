"""What is counted, what is written at once, and what is kept while the store is down."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cqrs_app.kernel.commands.batch import Outcome
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import SwitchedOff
from cqrs_app.platform.audit import recorder as limits
from cqrs_app.platform.audit.commands import RecordSecurityEvent
from cqrs_app.platform.audit.kinds import KINDS, Kind
from cqrs_app.platform.audit.origin import Origin
from cqrs_app.platform.audit.recorder import BEYOND, AuditRecorder, Key

ELSEWHERE = Origin(channel="form", address="203.0.113.7")


class Written:
    """The commands that were carried out, by a recorder whose clock a test moves."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.now = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
        self.commands: list[Any] = []
        self.trouble: Exception | None = None
        self.recorder = AuditRecorder(Actor("system"), lambda: self.now, enabled=enabled)
        self.recorder.bind(self._carry_out)

    def _carry_out(self, items: Sequence[tuple[Any, Context]]) -> list[Outcome]:
        if self.trouble:
            raise self.trouble
        self.commands += [command for command, _ in items]
        return [Outcome(None, None) for _ in items]

    def write(self, **later: float) -> list[RecordSecurityEvent]:
        """What is written now."""
        self.now += timedelta(**later)
        self.recorder._background.run_now()
        written, self.commands = self.commands, []
        return written


@pytest.fixture
def written() -> Any:
    made = Written()
    yield made
    made.recorder._background.close()


def denied(written: Written, who: str = "mia", about: str = "web.webhooks") -> None:
    written.recorder.record(Kind.DENIED, who, about, success=False, at=ELSEWHERE)


def test_what_is_rare_is_written_before_record_returns(written: Written) -> None:
    written.recorder.record(Kind.SIGNED_IN, "mia", account="mia", at=ELSEWHERE)
    (found,) = written.commands
    assert (found.kind, found.who, found.address, found.count) == (
        Kind.SIGNED_IN,
        "mia",
        "203.0.113.7",
        1,
    )
    assert found.concerns == "operator-mia"


def test_the_first_of_a_minute_is_written_soon_and_the_others_as_a_count(written: Written) -> None:
    for _ in range(100):
        denied(written)
    denied(written, who="ben")
    assert sorted((each.who, each.count) for each in written.write()) == [("ben", 1), ("mia", 1)]
    assert written.write(seconds=59) == []
    denied(written)
    (rest,) = written.write(seconds=2)
    assert (rest.who, rest.count) == ("mia", 100)
    assert rest.since == datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    denied(written)
    assert [each.count for each in written.write()] == [1]


def test_what_an_attacker_can_vary_is_bounded(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 20)
    for number in range(100):
        denied(written, who="", about=f"page {number}")
    found = written.write() + written.write(minutes=2)
    assert len(found) <= 22
    assert sum(each.count for each in found) == 100
    assert sum(each.count for each in found if each.about == BEYOND) == 80


def test_events_wait_while_commands_are_switched_off(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_WAITING", 50)
    written.trouble = SwitchedOff()
    for number in range(55):
        written.recorder._waiting.append(
            written.recorder._command(_key(f"op{number}"), written.now, 1)
        )
    assert written.write() == []
    written.trouble = None
    found = written.write()
    assert len(found) == 50
    assert found[-1].who == "op54"
    assert written.write() == []


def _key(who: str) -> Any:
    return Key(Kind.SIGNED_IN, True, who, "", "", ELSEWHERE, "")


def test_what_no_event_can_hold_is_shortened(written: Written) -> None:
    odd = Origin(address="\u115f\ud800203.0.113.7")
    written.recorder.record(Kind.SIGNED_IN, "m" * 500, "a\nb\x00", detail="d" * 900, at=odd)
    (found,) = written.commands
    assert (len(found.who), found.about, len(found.detail)) == (200, "a b", 500)
    assert found.address == "203.0.113.7"


def test_everything_is_written_at_the_end(written: Written) -> None:
    for _ in range(3):
        denied(written)
    written.recorder.close()
    assert sum(each.count for each in written.commands) == 3


def test_nothing_is_recorded_where_it_is_switched_off() -> None:
    written = Written(enabled=False)
    written.recorder.record(Kind.SIGNED_IN, "mia")
    assert written.write() == []


def test_every_kind_is_described() -> None:
    assert KINDS.keys() == set(Kind)
    assert len({each.label for each in KINDS.values()}) == len(KINDS)


def test_a_forked_process_has_a_stream_of_its_own(written: Written) -> None:
    written.recorder.record(Kind.SIGNED_IN, "mia")
    mine = written.commands[0].recorder
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        written.recorder.record(Kind.SIGNED_IN, "mia")
        os.write(writing, written.commands[-1].recorder.encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100).decode() not in ("", mine)
    os.close(reading)
    os.close(writing)
