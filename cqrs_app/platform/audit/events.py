"""Security events as they are stored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cqrs_app.kernel.messages.messages import Event, event
from cqrs_app.kernel.privacy.personal import PERSONAL
from cqrs_app.platform.audit.types import SettingDigest, stream_of_person


@event()
class SecurityEventRecorded(Event):
    """`kind` is one of kinds.py. `who` did it, empty if nobody proved who they are; `account` is
    the operator whose account it is about, `about` names the token, action, question or page.
    `count` of them happened from `since` on. `session` is the key of a session: see
    `Sessions.list`."""

    kind: str
    success: bool
    who: str
    account: str
    about: str
    channel: str
    address: Annotated[str, PERSONAL]
    session: str
    detail: str
    count: int
    since: datetime

    @property
    def concerns(self) -> str:
        return stream_of_person(self.who, self.account)


@event()
class SettingsChanged(Event):
    """The settings that differ from those of the start before. `digests` are of all settings,
    keyed, and tell no value."""

    changed: tuple[str, ...]
    digests: tuple[SettingDigest, ...]
