"""The kernel's spans as those of the OpenTelemetry SDK, with the ids they have."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from cqrs_app.kernel.tracing.spans import Span

PATH = "/v1/traces"
SCOPE = InstrumentationScope("cqrs_app")
ENDING_SECONDS = 2.0
"""How long an ending process tries to send: a collector that is down must not hold it up."""
SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Sender:
    """Sends spans to `endpoint`. Headers, sampler and resource attributes come from the SDK's own
    environment variables, such as OTEL_TRACES_SAMPLER."""

    def __init__(self, endpoint: str, service: str, release: str) -> None:
        named = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: release})
        # For its defaults and what it reads from the environment; it makes no span.
        self._provider = TracerProvider(resource=named, shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter(endpoint=f"{endpoint}{PATH}")
        self._processor = BatchSpanProcessor(self._exporter)

    def send(self, trace_id: str, spans: Sequence[Span]) -> None:
        number = int(trace_id, 16)
        # By the trace alone, so that every process decides alike.
        decided = self._provider.sampler.should_sample(None, number, spans[0].name)
        if decided.decision is not Decision.RECORD_AND_SAMPLE:
            return
        for span in spans:
            self._processor.on_end(self._readable(number, span))

    def close(self) -> None:
        """Send what is pending, if the collector takes it within ENDING_SECONDS."""
        timer = threading.Timer(ENDING_SECONDS, self._exporter.shutdown)
        timer.daemon = True
        timer.start()
        self._processor.shutdown()  # type: ignore[no-untyped-call]
        timer.cancel()

    def _readable(self, trace_id: int, span: Span) -> ReadableSpan:
        parent = None
        if span.parent_id:
            parent = SpanContext(trace_id, int(span.parent_id, 16), True, SAMPLED)
        return ReadableSpan(
            name=span.name,
            context=SpanContext(trace_id, int(span.span_id, 16), False, SAMPLED),
            parent=parent,
            resource=self._provider.resource,
            attributes=span.attributes | ({"error.type": span.error} if span.error else {}),
            kind=SpanKind[span.kind.upper()],
            instrumentation_scope=SCOPE,
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
            start_time=span.started,
            end_time=span.started + span.duration,
        )
