"""The streams of security events. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate, Decision
from cqrs_app.kernel.commands.handling import handles
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.audit.commands import RecordSecurityEvent, RecordSettings
from cqrs_app.platform.audit.events import SecurityEventRecorded, SettingsChanged

UNCHANGED_SETTINGS = Refusal("unchanged_settings", "No setting differs from the last start.")


@dataclass
class SecurityTrail(Aggregate):
    """What one process recorded. It needs no state."""

    category: ClassVar[str] = "security"
    identity: ClassVar[str] = "recorder"

    @handles(RecordSecurityEvent)
    def record(self, command: RecordSecurityEvent) -> Decision:
        names = [each.name for each in fields(SecurityEventRecorded)]
        values = {name: getattr(command, name) for name in names}
        yield SecurityEventRecorded(**values | {"kind": str(command.kind)})

    def evolve(self, event: Event, at: datetime) -> None:
        """Nothing to remember."""


@dataclass
class RecordedSettings(Aggregate):
    """The settings of the last start, as keyed digests."""

    category: ClassVar[str] = "security_settings"
    identity: ClassVar[str] = "scope"

    digests: dict[str, str] = field(default_factory=dict)

    @handles(RecordSettings, refusals=[UNCHANGED_SETTINGS])
    def record(self, command: RecordSettings) -> Decision:
        now = {each.name: each.digest for each in command.digests}
        names = now.keys() | self.digests.keys()
        changed = [name for name in sorted(names) if now.get(name) != self.digests.get(name)]
        if not changed:
            raise UNCHANGED_SETTINGS.because("No setting differs from the last start.")
        # At the first start there is nothing to compare with.
        yield SettingsChanged(
            changed=tuple(changed) if self.digests else (), digests=command.digests
        )

    def evolve(self, event: Event, at: datetime) -> None:
        if isinstance(event, SettingsChanged):
            self.digests = {each.name: each.digest for each in event.digests}
