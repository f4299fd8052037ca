"""Problems of the machine: the disk fills up, a certificate expires."""

from __future__ import annotations

import shutil
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.alerts.sources import Source
from cqrs_app.platform.runtime.problems import Problem

CERTIFICATE_SECONDS = 3_600.0
"""How often certificates are looked at."""
CONNECT_SECONDS = 3.0
MOST_USED_PERCENT = 90
FEWEST_DAYS = 14


def disk(data_dir: Path) -> Source:
    """How full the disk of the data folder is."""

    def find(kernel: Kernel) -> Iterator[Problem]:
        if not data_dir.exists():
            return
        usage = shutil.disk_usage(data_dir)
        percent = 100 * (usage.total - usage.free) / usage.total
        yield Problem(
            kind="disk",
            level="bad",
            title=f"The disk of the data folder is {percent:.0f}% full",
            cost="Once it is full, no change can be saved.",
            since=None,
            remedy="Delete what is not needed, or enlarge the disk.",
            value=percent,
            limit=MOST_USED_PERCENT,
        )

    return Source(frozenset({"disk"}), find)


class Certificates:
    """The days that the certificates of these hosts ("desk.example:443") are still valid."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts
        self._looked = float("-inf")
        self._problems: list[Problem] = []

    @property
    def source(self) -> Source:
        return Source(frozenset({"certificate"}), self.find)

    def find(self, kernel: Kernel) -> list[Problem]:
        if time.monotonic() - self._looked > CERTIFICATE_SECONDS:
            self._problems = [_certificate(kernel, host) for host in self._hosts]
            self._looked = time.monotonic()
        return self._problems


def _certificate(kernel: Kernel, host: str) -> Problem:
    try:
        days = (_expiry(host) - kernel.clock()).total_seconds() / 86_400
        title = f"The certificate of {host} is valid for {int(days)} more days"
        if days < 0:
            title = f"The certificate of {host} has expired"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        days, title = 0.0, f"The certificate of {host} cannot be read: {reason}"
    return Problem(
        kind="certificate",
        subject=host,
        level="bad",
        title=title,
        cost="Once it has expired, browsers refuse to open the console.",
        since=None,
        remedy="Renew it, and reload the web server.",
        value=days,
        limit=FEWEST_DAYS,
        falls=True,
    )


def _expiry(host: str) -> datetime:
    name, _, port = host.partition(":")
    # Not verified: one that has expired is to be read too.
    context = ssl._create_unverified_context()  # noqa: S323
    address = (name, int(port or 443))
    with (
        socket.create_connection(address, timeout=CONNECT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name) as stream,
    ):
        found = stream.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(found or b"").not_valid_after_utc
