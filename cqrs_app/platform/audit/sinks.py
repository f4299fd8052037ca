"""Where security events are sent: standard output, a syslog server, or a webhook."""

from __future__ import annotations

import os
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from cqrs_app.kernel.signing import headers
from cqrs_app.platform.webhooks.sending import post
from cqrs_app.platform.webhooks.targets import Network

SECONDS = 5.0
FACILITY = 13
"""Log audit, in RFC 5424."""
WARNING, INFORMATIONAL = 4, 6
USER_AGENT = {"User-Agent": "Countersign-Audit/1"}


@dataclass(frozen=True, slots=True)
class Line:
    """One security event: its id, when it was recorded, whether it succeeded, and its JSON."""

    id: str
    at: datetime
    success: bool
    text: str


class Sink(Protocol):
    """Sends all lines, in order. Returns a sentence about what went wrong, empty if they were
    taken."""

    def __call__(self, lines: Sequence[Line]) -> str: ...


def sink_of(url: str, secret: str, allowed: tuple[Network, ...]) -> Sink:
    """The sink that AUDIT_STREAM names."""
    if url == "stdout":
        return to_standard_output
    parts = urlsplit(url)
    if parts.scheme in SYSLOG:
        host, port = parts.hostname or "", parts.port or SYSLOG[parts.scheme]
        return partial(to_syslog, parts.scheme, (host, port))
    return partial(to_webhook, url, secret, allowed)


SYSLOG = {"syslog+udp": 514, "syslog+tcp": 601, "syslog+tls": 6514}
"""Schemes, and the port without one."""


def to_standard_output(lines: Sequence[Line]) -> str:
    sys.stdout.write("".join(f"{each.text}\n" for each in lines))
    sys.stdout.flush()
    return ""


def to_webhook(url: str, secret: str, allowed: tuple[Network, ...], lines: Sequence[Line]) -> str:
    """One request with all of them, a line each, signed where there is a secret."""
    body = "".join(f"{each.text}\n" for each in lines).encode()
    sent = {**USER_AGENT, "Content-Type": "application/x-ndjson"}
    if secret:
        sent |= headers([secret], lines[0].id, int(time.time()), body)
    return post(url, body, sent, allowed).error


def to_syslog(scheme: str, address: tuple[str, int], lines: Sequence[Line]) -> str:
    """RFC 5424, framed by length over TCP (RFC 6587) and TLS (RFC 5425)."""
    send = _datagrams if scheme == "syslog+udp" else partial(_stream, tls=scheme == "syslog+tls")
    try:
        send(address, [syslog_message(each, socket.gethostname(), os.getpid()) for each in lines])
    except OSError as error:
        return f"The syslog server could not be reached: {error.strerror or error}."
    return ""


def syslog_message(line: Line, host: str, process: int) -> bytes:
    """The message of RFC 5424, without structured data, in UTF-8."""
    priority = FACILITY * 8 + (INFORMATIONAL if line.success else WARNING)
    at = line.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    head = f"<{priority}>1 {at} {host or '-'} countersign {process} audit - "
    return head.encode() + b"\xef\xbb\xbf" + line.text.encode()


def _datagrams(address: tuple[str, int], messages: Sequence[bytes]) -> None:
    found = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
    with socket.socket(found[0], socket.SOCK_DGRAM) as sender:
        for message in messages:
            sender.sendto(message, found[4])


def _stream(address: tuple[str, int], messages: Sequence[bytes], *, tls: bool) -> None:
    framed = b"".join(b"%d " % len(message) + message for message in messages)
    with socket.create_connection(address, timeout=SECONDS) as plain:
        if not tls:
            plain.sendall(framed)
            return
        context = ssl.create_default_context()
        with context.wrap_socket(plain, server_hostname=address[0]) as stream:
            stream.sendall(framed)
