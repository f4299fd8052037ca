"""What the console records itself about its security."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.patterns import ONE_LINE, UUID
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.privacy.personal import PERSONAL
from cqrs_app.platform.audit.kinds import Kind
from cqrs_app.platform.audit.types import SettingDigest, stream_of_person

VIEW = Permission("audit.view", Role.ADMIN)
RECORD = Permission("audit.record", None)
"""What the console does itself."""

MOST_DETAIL = 500
Line = Annotated[str, Meta(max_length=200, pattern=ONE_LINE)]


@command(label="Record security event", permission=RECORD)
class RecordSecurityEvent(Command):
    """Recorded by the console: see Audit. `recorder` is the process, which has a stream of its own,
    so that processes do not wait for each other."""

    recorder: Annotated[str, Meta(pattern=UUID, examples=["0198f0a2-7c0e-7b5b-9a5e-3f6b6a3c6d10"])]
    kind: Kind
    since: Annotated[datetime, Meta(tz=True)]
    success: bool = True
    who: Line = ""
    account: Line = ""
    about: Line = ""
    channel: Annotated[str, Meta(max_length=20, pattern=ONE_LINE)] = ""
    address: Annotated[str, Meta(max_length=64, pattern=ONE_LINE), PERSONAL] = ""
    session: Annotated[str, Meta(max_length=64, pattern=ONE_LINE)] = ""
    detail: Annotated[str, Meta(max_length=MOST_DETAIL, pattern=ONE_LINE)] = ""
    count: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1

    @property
    def concerns(self) -> str:
        return stream_of_person(self.who, self.account)


@command(label="Record settings", permission=RECORD)
class RecordSettings(Command):
    """Recorded by the console at its start: the keyed digest of each setting. `scope` is always
    console."""

    digests: Annotated[tuple[SettingDigest, ...], Meta(max_length=1_000)]
    scope: Annotated[str, Meta(pattern=r"^console(?!\n)$", examples=["console"])] = "console"
