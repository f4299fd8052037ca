"""Which spans belong together, and which are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from cqrs_app.kernel.tracing import sampler as sampling
from cqrs_app.kernel.tracing.live import NO_SPAN, current_trace_id
from cqrs_app.kernel.tracing.sampler import Sampler
from cqrs_app.kernel.tracing.spans import Caller, Span, span_id_of, trace_id_of
from cqrs_app.kernel.tracing.tracer import MOST_PER_BATCH, PER_SECOND, Tracer

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
CALLER = Caller("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


@dataclass(frozen=True)
class Written:
    id: str = "evt_1"
    type: str = "OrderPlaced"
    correlation_id: str = "C1"
    command_id: str = "C1"
    recorded_at: datetime = NOW


@dataclass
class Kept:
    """The spans that a tracer has passed on."""

    traces: list[tuple[str, list[Span]]] = field(default_factory=list)

    def __call__(self, trace_id: str, spans: Sequence[Span]) -> None:
        self.traces.append((trace_id, list(spans)))

    def names(self) -> list[str]:
        return [span.name for _, spans in self.traces for span in spans]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def tracer(kept: Kept) -> Tracer:
    return Tracer(kept)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, in a list that tests change."""
    now = [100.0]
    monkeypatch.setattr(sampling.time, "monotonic", lambda: now[0])
    return now


def test_a_request_belongs_to_the_trace_of_its_command(tracer: Tracer, kept: Kept) -> None:
    with tracer.request(None, settled=False) as request:
        assert not current_trace_id()
        with tracer.command("PlaceOrder", "C1", "C1", None), tracer.step("commit"):
            assert current_trace_id() == trace_id_of("C1")
    [(trace_id, spans)] = kept.traces
    commit, command, outer = spans
    assert trace_id == trace_id_of("C1")
    assert (commit.parent_id, command.parent_id) == (command.span_id, outer.span_id)
    assert (command.span_id, outer.span_id) == (span_id_of("C1"), request.span.span_id)
    assert outer.duration >= command.duration >= commit.duration > 0


def test_a_second_command_of_a_request_has_its_own_trace(tracer: Tracer, kept: Kept) -> None:
    with tracer.request(None, settled=False):
        for command_id in ("C1", "C2"):
            with tracer.command("PlaceOrder", command_id, command_id, None):
                pass
    assert [trace_id for trace_id, _ in kept.traces] == [trace_id_of("C2"), trace_id_of("C1")]


def test_what_a_caller_sends_belongs_to_its_trace(tracer: Tracer, kept: Kept) -> None:
    with tracer.request(CALLER, settled=True):
        assert current_trace_id() == CALLER.trace_id
        with tracer.command("PlaceOrder", "C1", CALLER.trace_id, CALLER.span_id):
            pass
    [(trace_id, [command, request])] = kept.traces
    assert trace_id == CALLER.trace_id
    assert (command.parent_id, request.parent_id) == (request.span_id, CALLER.span_id)


def test_a_request_without_a_command_is_not_kept(tracer: Tracer, kept: Kept) -> None:
    with tracer.request(None, settled=True), tracer.step("query"):
        pass
    assert kept.traces == []


def test_an_exporter_receives_every_request(kept: Kept) -> None:
    with Tracer(None, kept).request(None, settled=True):
        pass
    assert kept.names() == ["request"]


def test_what_raises_has_its_error_in_its_span(tracer: Tracer, kept: Kept) -> None:
    with pytest.raises(LookupError), tracer.command("PlaceOrder", "C1", "C1", None):
        raise LookupError
    [(_, [span])] = kept.traces
    assert span.error == "LookupError"


def test_a_command_that_an_event_caused_is_below_it(tracer: Tracer, kept: Kept) -> None:
    with tracer.command("PlaceOrder", "C1", "C1", None):
        tracer.published([Written()])
    with tracer.command("ReserveStock", "C2", "C1", "evt_1"):
        pass
    (_, [event, order]), (_, [stock]) = kept.traces
    assert (event.parent_id, stock.parent_id) == (order.span_id, event.span_id)


def test_a_batch_has_a_span_for_each_command_in_it(tracer: Tracer, kept: Kept) -> None:
    events = [
        Written(id=f"evt_{number}", correlation_id=command, command_id=command)
        for number, command in enumerate(["C1", "C1", "C2"])
    ]
    tracer.processed("orders", events, 1, NOW - timedelta(hours=1))
    assert [spans[0].parent_id for _, spans in kept.traces] == [
        span_id_of("evt_0"),
        span_id_of("evt_2"),
    ]


def test_events_of_long_ago_have_no_spans(tracer: Tracer, kept: Kept) -> None:
    tracer.processed("orders", [Written()], 1, NOW + timedelta(seconds=1))
    assert kept.traces == []


def test_only_the_first_events_of_a_large_batch_are_looked_at(tracer: Tracer, kept: Kept) -> None:
    one = [Written()] * MOST_PER_BATCH
    tracer.processed("orders", [*one, Written(command_id="C2")], 1, NOW)
    assert len(kept.traces) == 1


def test_nothing_is_traced_where_nothing_is_going_on(tracer: Tracer, kept: Kept) -> None:
    assert tracer.step("commit") is NO_SPAN
    assert tracer.bookmark() is None
    tracer.published([Written()])
    assert kept.traces == []


def test_under_load_a_part_of_the_traces_is_kept(clock: list[float], kept: Kept) -> None:
    tracer = Tracer(kept)
    for number in range(10_000):
        with tracer.command("PlaceOrder", f"C{number}", f"C{number}", None):
            pass
    assert PER_SECOND < len(kept.traces) < 20 * PER_SECOND
    clock[0] += 30
    before = len(kept.traces)
    with tracer.command("PlaceOrder", "C-later", "C-later", None):
        pass
    assert len(kept.traces) == before + 1


def test_what_a_busy_process_keeps_a_calm_one_keeps_too(clock: list[float]) -> None:
    busy, calm = Sampler(1), Sampler(50)
    for number in range(2_000):
        busy(f"C{number}")
        calm(f"C{number}")
    later = [f"D{number}" for number in range(2_000)]
    of_busy, of_calm = ({each for each in later if keeps(each)} for keeps in (busy, calm))
    assert of_busy < of_calm
    assert of_busy
