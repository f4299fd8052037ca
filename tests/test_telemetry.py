"""Traces sent to a collector: what it receives, and what happens where that cannot be."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from cqrs_app import telemetry
from cqrs_app.areas.orders.commands import ApproveOrder
from cqrs_app.environment import SettingsError
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.tracing.spans import Span, span_id_of, trace_id_of
from cqrs_app.services import services_of
from cqrs_app.telemetry import Export, export_of
from cqrs_app.telemetry_sdk import ENDING_SECONDS, Sender
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.webhooks.conftest import Clock, Shop
from tests.platform.webhooks.receiver import Receiver, listening
from tests.processes.running import run_python


def spans_in(receiver: Receiver) -> dict[str, Any]:
    """Name -> span."""
    found = {}
    for each in receiver.received:
        request = ExportTraceServiceRequest.FromString(each.body)
        for resource in request.resource_spans:
            found |= {span.name: span for part in resource.scope_spans for span in part.spans}
    return found


def test_a_collector_receives_a_command_and_what_followed_as_one_trace(
    make_console: Callable[..., Flask],
) -> None:
    with listening() as collector:
        address = collector.url.partition("/hooks")[0]
        app = make_console(otel_exporter_otlp_endpoint=address, otel_service_name="my shop")
        order_id = Shop(app, Clock()).place()
        kernel = services_of(app).kernel
        context = Context(actor=Actor("ada", ROLES["admin"]), channel="test")
        kernel.commands.execute(ApproveOrder(order_id=order_id), context)
        catch_up(app)
        catch_up(app)  # what fulfilment wrote
        services_of(app).close()
    assert {each.path for each in collector.received} == {"/v1/traces"}
    spans = spans_in(collector)
    order, approved = spans["ApproveOrder"], spans["publish OrderApproved"]
    advanced, moved = spans["AdvanceFulfilment"], spans["publish FulfilmentMoved"]
    assert (spans["decide"].parent_span_id, approved.parent_span_id) == (order.span_id,) * 2
    assert (advanced.parent_span_id, moved.parent_span_id) == (approved.span_id, advanced.span_id)
    assert spans["process fulfilment"].parent_span_id == moved.span_id
    assert order.start_time_unix_nano < order.end_time_unix_nano
    assert order.trace_id.hex() == advanced.trace_id.hex() == trace_id_of(context.command_id)
    assert order.span_id.hex() == span_id_of(context.command_id)
    first = ExportTraceServiceRequest.FromString(collector.received[0].body).resource_spans[0]
    named = {each.key: each.value.string_value for each in first.resource.attributes}
    assert named["service.name"] == "my shop"


def test_an_error_is_the_status_of_its_span() -> None:
    with listening() as collector:
        export = Export(collector.url.partition("/hooks")[0], "shop", "1")
        export("4b" * 16, [Span("0f" * 8, "", "commit", "client", 1, 2, {}, "busy")])
        export.close()
    span = spans_in(collector)["commit"]
    assert (span.status.message, span.status.code, span.kind) == ("busy", 2, 3)


def test_every_process_sends_the_same_share_of_the_traces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    sent: list[set[str]] = []
    for _ in range(2):
        sender, ids = Sender("http://127.0.0.1:9", "shop", "1"), set()
        monkeypatch.setattr(
            sender._processor, "on_end", lambda span, ids=ids: ids.add(span.context.trace_id)
        )
        for number in range(200):
            trace_id = trace_id_of(f"command {number}")
            sender.send(trace_id, [Span("0f" * 8, "", "commit", "internal", 1)])
        sender.close()
        sent.append(ids)
    assert sent[0] == sent[1]
    assert 50 < len(sent[0]) < 150


def test_a_collector_that_is_down_does_not_hold_up_the_end_of_a_process() -> None:
    export = Export("http://127.0.0.1:9", "shop", "1")
    export("4b" * 16, [Span("0f" * 8, "", "commit", "internal", 1)])
    began = time.monotonic()
    export.close()
    assert time.monotonic() - began < 4 * ENDING_SECONDS


def test_without_an_address_nothing_is_sent(make_console: Callable[..., Flask]) -> None:
    assert services_of(make_console()).export is None


def test_without_the_sdk_the_console_says_what_to_install(
    make_console: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(
        services_of(make_console()).settings, otel_exporter_otlp_endpoint="http://collector:4318"
    )
    monkeypatch.setattr(telemetry, "NEEDED", ("opentelemetry_that_is_not_there.sdk",))
    with pytest.raises(SettingsError, match="Run: bin/install traces"):
        export_of(settings, "1")


def test_the_sdk_is_not_loaded_before_there_is_a_span_to_send() -> None:
    done = run_python(
        "-c",
        "import sys; from cqrs_app import composition\n"
        "print([name for name, module in sys.modules.items()"
        " if module and name.startswith('opentelemetry.sdk.')])",
    )
    assert done.stdout.strip() == "[]", done.stderr
