"""Sends traces to a collector, over OTLP, if the settings name one.

The spans are made by the kernel; the OpenTelemetry SDK, which is an extra, batches and sends them.
It is imported with the first span, since that takes as long as many a verb of the command line.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cqrs_app.environment import SettingsError
from cqrs_app.kernel.tracing.spans import Span
from cqrs_app.settings import Settings

if TYPE_CHECKING:
    from cqrs_app.telemetry_sdk import Sender

NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


class Export:
    """One per application. Each process that has spans starts its own thread to send them."""

    def __init__(self, endpoint: str, service: str, release: str) -> None:
        self._to = (endpoint, service, release)
        self._lock = threading.Lock()
        self._pid = 0
        self._sender: Sender | None = None

    def __call__(self, trace_id: str, spans: Sequence[Span]) -> None:
        """Send finished spans of a trace soon; returns at once."""
        if self._sender is None or self._pid != os.getpid():
            self._start()
        if self._sender is not None:
            self._sender.send(trace_id, spans)

    def close(self) -> None:
        """Send what is pending. Called at the end of a process or a test."""
        if self._sender is not None and self._pid == os.getpid():
            self._sender.close()
        self._sender = None

    def _start(self) -> None:
        from cqrs_app.telemetry_sdk import Sender

        with self._lock:
            if self._sender is None or self._pid != os.getpid():
                self._sender, self._pid = Sender(*self._to), os.getpid()


def export_of(settings: Settings, release: str) -> Export | None:
    """None if traces are sent nowhere. Raises SettingsError if the SDK is not installed."""
    endpoint = settings.otel_exporter_otlp_endpoint.rstrip("/")
    if not endpoint:
        return None
    if not all(map(_is_installed, NEEDED)):
        raise SettingsError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the OpenTelemetry SDK is not installed. Run: "
            "bin/install traces"
        )
    return Export(endpoint, settings.otel_service_name, release)


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
