"""Records which settings changed since the last start."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import logging
from contextlib import suppress

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Refused, SwitchedOff
from cqrs_app.platform.audit.commands import RecordSettings
from cqrs_app.platform.audit.types import SettingDigest
from cqrs_app.settings import Settings

PURPOSE = b"countersign settings"

logger = logging.getLogger(__name__)


def record_settings(settings: Settings, kernel: Kernel, actor: Actor) -> None:
    """Record the names of the settings that differ from those of the last start, if any do. Values
    are compared by digests under a key of this console. While commands are switched off, it is left
    for the next start."""
    if not settings.audit_events:
        return
    key = hmac.digest(settings.personal_data_keys()[0].encode(), PURPOSE, hashlib.sha256)
    digests = tuple(
        SettingDigest(
            name=each.name.upper(),
            digest=_digest(key, each.name, str(getattr(settings, each.name))),
        )
        for each in dataclasses.fields(settings)
    )
    command, context = RecordSettings(digests=digests), Context(actor=actor, channel="system")
    with suppress(Refused, SwitchedOff):  # none changed; or it is told at the next start
        kernel.commands.preview(command, context)  # a refusal would be in the log at every start
        receipt = kernel.commands.execute(command, context)
        logger.info("settings recorded as version %s", receipt.version)


def _digest(key: bytes, name: str, value: str) -> str:
    return hmac.digest(key, f"{name}={value}".encode(), hashlib.sha256).hex()[:32]
