"""What notices are sent through. Addresses hold secrets: none is in a row, a log line or an
error."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cqrs_app.platform.alerts.notices import Notice

MISSING = "Apprise is not installed. Install it with `pip install apprise`, or empty ALERT_URLS."


class Channel(Protocol):
    @property
    def name(self) -> str:
        """The same in every process, without a secret."""

    def send(self, notice: Notice) -> str:
        """One attempt: a sentence if it was not accepted, empty if it was. What it raises counts
        as not accepted."""


@dataclass(frozen=True, slots=True, repr=False)
class AppriseUrl:
    """Any service that Apprise reaches, by its address: https://github.com/caronc/apprise"""

    url: str

    @property
    def name(self) -> str:
        digest = hashlib.sha256(self.url.encode()).hexdigest()[:6]
        return f"{self.url.partition(':')[0][:40]}-{digest}"

    def send(self, notice: Notice) -> str:
        try:
            import apprise
        except ImportError:
            return MISSING
        # Its lines may hold the address.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        kinds = {"raised": "failure", "resolved": "success", "test": "info"}
        service: Any = apprise.Apprise()
        if not service.add(self.url):
            return "Apprise does not know this kind of address."
        sent = service.notify(
            title=notice.title, body=notice.body, notify_type=kinds.get(notice.kind, "info")
        )
        return "" if sent else "The service did not accept it, or could not be reached."


def by_name(channels: Sequence[Channel]) -> Mapping[str, Channel]:
    return {each.name: each for each in channels}
