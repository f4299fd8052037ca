"""What the console looks at and sends to outside of its stores."""

from __future__ import annotations

import tomllib
from functools import cache
from zoneinfo import ZoneInfo

from cqrs_app import PROJECT
from cqrs_app.platform.alerts.channels import AppriseUrl, Channel
from cqrs_app.platform.alerts.email import Email
from cqrs_app.platform.alerts.machine import Certificates, disk
from cqrs_app.platform.alerts.overrides import OVERRIDES
from cqrs_app.platform.alerts.plugged import PLUGGED
from cqrs_app.platform.alerts.shop import SHOP
from cqrs_app.platform.alerts.sources import RECONCILIATION, STORED, Sources, sent_outside
from cqrs_app.platform.audit.sinks import Sink, sink_of
from cqrs_app.platform.mail import Mailer
from cqrs_app.platform.runtime.reconciliation import Schedule
from cqrs_app.settings import Settings


def release_of(settings: Settings) -> str:
    """The name of the release that runs: the setting, or else the version of the project."""
    return settings.release or _version()


@cache
def _version() -> str:
    described = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    return str(described["project"]["version"])


def problem_sources(settings: Settings) -> Sources:
    reconciled = [RECONCILIATION] if settings.reconcile_hours else []
    certificates = Certificates(settings.certificates).source
    # Without the setting, the last error of a task concerns nobody any more.
    outside = {
        "audit_stream": "Security events" if settings.audit_stream else "",
        "seal_anchors": "Seals" if settings.seal_anchor_file or settings.seal_anchor_url else "",
    }
    sent = sent_outside({task: what for task, what in outside.items() if what})
    return Sources(
        [
            *(*STORED, SHOP, *PLUGGED, OVERRIDES, sent),
            *(disk(settings.data_dir), certificates, *reconciled),
        ]
    )


def mailer_of(settings: Settings) -> Mailer | None:
    """None without a mail server."""
    return Mailer(settings.smtp_url, settings.mail_sender) if settings.smtp_url else None


def channels(settings: Settings) -> list[Channel]:
    """Where notices of alerts go, apart from webhooks."""
    found: list[Channel] = [AppriseUrl(url) for url in settings.alert_urls.split()]
    if settings.smtp_url:
        recipients, sender = settings.alert_recipients, settings.mail_sender
        found.append(Email(settings.smtp_url, sender, recipients, settings.shop_name))
    return found


def audit_sink(settings: Settings) -> Sink | None:
    """None where security events are not sent on."""
    if not settings.audit_stream:
        return None
    secret, allowed = settings.audit_stream_secret, settings.webhook_networks
    return sink_of(settings.audit_stream, secret, allowed)


def schedule(settings: Settings) -> Schedule:
    start, end = settings.reconcile_times
    return Schedule(settings.reconcile_hours, start, end, ZoneInfo(settings.timezone))
