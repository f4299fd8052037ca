"""What makes failures one: everything but their values."""

from __future__ import annotations

import pytest

from cqrs_app.platform.failures.causes import Cause, cause_of, named, normalised, without_values

TRACEBACK = """Traceback (most recent call last):
  File "/srv/countersign/cqrs_app/kernel/projections/rows.py", line 52, in change
    row = self.get(table, *key)
          ^^^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/site-packages/sqlalchemy/engine/base.py", line 1, in execute
    return run()
LookupError: orders has no row ('CS-10042',)
and a second line about Maria
  and a third, indented
"""


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("orders has no row ('CS-10042',)", "orders has no row (…,)"),
        ('The value "Maria Lopez" is no number', "The value … is no number"),
        ("order-10042 cannot be shipped on 2026-03-04T10:00:00+00:00", "… cannot be shipped on …"),
        ("sent to maria@example.org by 10.0.0.7:8080", "sent to … by …"),
        ("[personal] is no customer", "… is no customer"),
        ("see https://hooks.example.org/secret/abc now", "see … now"),
        ("it can't be done, and won't", "it can't be done, and won't"),
        ("failed\n[SQL: INSERT INTO x]\n[parameters: ('Maria',)]", "failed"),
        ("EUR 12.50 of 3,120.00 at 15%", "EUR … of …,… at …%"),
        ("  two   spaces\nand a line ", "two spaces and a line"),
    ],
)
def test_a_message_keeps_its_words_and_none_of_its_values(message: str, kept: str) -> None:
    assert normalised(message) == kept
    assert normalised(normalised(message)) == normalised(message)


def test_the_same_failure_of_another_order_on_another_line_has_the_same_cause() -> None:
    other = TRACEBACK.replace("line 52", "line 61").replace("/srv/countersign", "/opt/other")
    first = cause_of("event", "orders", "LookupError", "no row ('CS-1',)", TRACEBACK)
    second = cause_of("event", "orders", "LookupError", "no row ('CS-2',)", other)
    assert first == second
    assert first.code == "cqrs_app/kernel/projections/rows.py change"
    assert (len(first.id), first.id) == (12, second.id)


@pytest.mark.parametrize("part", ["kind", "place", "error", "message", "code"])
def test_what_differs_in_kind_place_error_message_or_code_is_another_cause(part: str) -> None:
    values = dict.fromkeys(("kind", "place", "error", "message", "code"), "same")
    assert Cause(**values).id != Cause(**values | {part: "other"}).id


def test_an_id_stays_the_same_in_every_process_and_release() -> None:
    assert Cause("event", "orders", "KeyError", "…", "").id == "f9642eaeee42"


def test_a_traceback_is_kept_without_values() -> None:
    kept = without_values(TRACEBACK)
    assert kept.splitlines()[0] == "Traceback (most recent call last):"
    assert "    row = self.get(table, *key)\n" in kept
    assert "^^^" not in kept
    assert kept.splitlines()[-1] == "LookupError: orders has no row (…,)"
    assert "Maria" not in kept


def test_values_that_are_named_are_removed_from_messages_and_not_from_code() -> None:
    lines = without_values(TRACEBACK, lambda text: text.replace("Maria", "").replace("row", ""))
    assert "Maria" not in lines
    assert "row = self.get" in lines


def test_a_described_error_is_taken_apart() -> None:
    assert named("KeyError: 'x: y'") == ("KeyError", "'x: y'")
    assert named("no name here: x") == ("", "no name here: x")
