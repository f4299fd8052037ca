"""The query log: a sample of the questions, and all that met an error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec
import pytest
from sqlalchemy import select

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.errors import NotAllowed
from cqrs_app.kernel.messages.messages import Query, query, value
from cqrs_app.kernel.queries import log
from cqrs_app.kernel.queries.bus import QueryOptions
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store.tables import query_log
from tests.kernel.conftest import ANA, ASKER
from tests.kernel.shop import GetCounter

MakeKernel = Callable[..., Kernel]
A = GetCounter(counter_id="a")


def logged(kernel: Kernel) -> list[tuple[str, str, str, str, str]]:
    kernel.query_log.flush()
    columns = query_log.c
    found = select(columns.query, columns.parameters, columns.actor, columns.result, columns.code)
    with kernel.engines.write.connect() as connection:
        return [tuple(row) for row in connection.execute(found.order_by(columns.id))]


def test_each_question_is_logged_where_the_share_is_one(make_kernel: MakeKernel) -> None:
    kernel = make_kernel(queries=QueryOptions(log_share=1.0))
    kernel.queries.ask(A, ASKER)
    assert logged(kernel) == [("GetCounter", '{"counter_id":"…"}', "ana", "miss", "")]


def test_errors_are_logged_whatever_the_share(make_kernel: MakeKernel) -> None:
    kernel = make_kernel(queries=QueryOptions(log_share=1e-12))
    kernel.queries.ask(A, ASKER)
    with pytest.raises(NotAllowed):
        kernel.queries.ask(A, QueryContext(actor=Actor("eve")))
    kernel.queries._answers = {}
    with pytest.raises(KeyError):
        kernel.queries.ask(A, ASKER)
    assert [row[2:] for row in logged(kernel)] == [
        ("eve", "refused", "not_allowed"),
        ("ana", "failed", "KeyError"),
    ]


def test_about_the_share_asked_for_is_logged(make_kernel: MakeKernel) -> None:
    kernel = make_kernel(queries=QueryOptions(log_share=0.5))
    for _ in range(100):
        kernel.queries.ask(A, ASKER)
    assert 20 <= len(logged(kernel)) <= 80


def test_nothing_is_logged_where_it_is_switched_off(make_kernel: MakeKernel) -> None:
    kernel = make_kernel()
    with pytest.raises(NotAllowed):
        kernel.queries.ask(A, QueryContext(actor=Actor("eve")))
    assert logged(kernel) == []


def test_the_latest_are_kept(make_kernel: MakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_ROWS", 3)
    kernel = make_kernel(queries=QueryOptions(log_share=1.0))
    for number in range(5):
        actor = Actor(f"ana{number}", ANA.permissions)
        kernel.queries.ask(A, QueryContext(actor=actor))
        logged(kernel)
    assert [row[2] for row in logged(kernel)] == ["ana2", "ana3", "ana4"]


def test_a_flood_of_errors_is_cut_off(
    make_kernel: MakeKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = make_kernel(queries=QueryOptions(log_share=1.0))
    monkeypatch.setattr(kernel.query_log._background, "nudge", lambda: None)
    monkeypatch.setattr(log, "MOST_PENDING", 2)
    for _ in range(5):
        kernel.queries.ask(A, ASKER)
    assert len(logged(kernel)) == 2


class Colour(StrEnum):
    RED = "red"


@value
class Part:
    words: str = ""
    number: int = 0


@query(label="Many kinds", permission="counters.view")
class ManyKinds(Query):
    words: str = ""
    names: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    numbers: tuple[int, ...] = ()
    colours: tuple[Colour, ...] = ()
    least: Decimal | None = None
    since: date | None = None
    limit: int = 50
    descending: bool = False


def test_texts_are_hidden_and_what_was_not_given_is_left_out() -> None:
    asked = ManyKinds(
        words="Maria Lind",
        names=("Maria", "Lind"),
        parts=(Part(words="Maria", number=3),),
        numbers=tuple(range(9)),
        colours=(Colour.RED,),
        least=Decimal("2.50"),
        since=date(2026, 1, 31),
        limit=7,
    )
    assert msgspec.json.decode(log.masked(asked)) == {
        "words": "…",
        "names": ["…", "…"],
        "parts": [{"words": "…", "number": 3}],
        "numbers": [0, 1, 2, 3, 4, "…"],
        "colours": ["red"],
        "least": "2.50",
        "since": "2026-01-31",
        "limit": 7,
    }
    assert log.masked(ManyKinds()) == "{}"
