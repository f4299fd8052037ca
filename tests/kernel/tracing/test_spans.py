"""Ids of traces and spans, and the header that carries them between systems."""

import pytest

from cqrs_app.kernel.tracing.spans import (
    Caller,
    caller_of,
    span_id_of,
    trace_id_of,
    traceparent_of,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_the_header_of_a_caller_is_read() -> None:
    assert caller_of(f"00-{TRACE}-{SPAN}-01") == Caller(TRACE, SPAN)


def test_a_later_version_of_the_header_may_have_more_parts() -> None:
    assert caller_of(f"cc-{TRACE}-{SPAN}-01-more") == Caller(TRACE, SPAN)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
    ],
)
def test_a_header_that_cannot_be_used_is_ignored(header: str) -> None:
    assert caller_of(header) is None


def test_the_header_that_is_sent_can_be_read() -> None:
    for sampled in (True, False):
        assert caller_of(traceparent_of(TRACE, SPAN, sampled=sampled)) == Caller(TRACE, SPAN)
    assert traceparent_of(TRACE, SPAN, sampled=False).endswith("-00")


def test_ids_given_by_a_caller_stay_what_they_are() -> None:
    assert (trace_id_of(TRACE), span_id_of(SPAN)) == (TRACE, SPAN)


def test_every_process_makes_the_same_ids_of_a_command() -> None:
    command_id = "0199f7f2-7d0a-7cc3-98c4-dc0c0c07398f"
    assert trace_id_of(command_id) == trace_id_of(command_id) != trace_id_of(f"{command_id}x")
    assert caller_of(f"00-{trace_id_of(command_id)}-{span_id_of(command_id)}-01")
