"""What happened to operators, roles and access reviews. Secrets are in no event."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cqrs_app.kernel.messages.messages import Event, event
from cqrs_app.kernel.privacy.personal import PERSONAL
from cqrs_app.platform.operators.types import CustomRole


@event()
class OperatorInvited(Event):
    operator: str
    role: str
    display_name: Annotated[str, PERSONAL]
    email: Annotated[str, PERSONAL]
    team: str


@event()
class OperatorRecorded(Event):
    """Created at this time, by an earlier release that kept no history of operators."""

    operator: str
    role: str
    display_name: Annotated[str, PERSONAL]
    team: str
    created_at: datetime
    disabled_at: datetime | None


@event()
class OperatorRoleChanged(Event):
    operator: str
    before: str
    role: str


@event()
class OperatorTeamChanged(Event):
    operator: str
    before: str
    team: str


@event()
class OperatorDetailsChanged(Event):
    operator: str
    display_name: Annotated[str, PERSONAL]
    email: Annotated[str, PERSONAL]


@event()
class OperatorDisabled(Event):
    operator: str
    reason: str


@event()
class OperatorEnabled(Event):
    operator: str


@event()
class PasswordReset(Event):
    operator: str


@event()
class PasswordRecorded(Event):
    """A password was chosen: by somebody else if it is `temporary`."""

    operator: str
    temporary: bool


@event()
class EmailRecorded(Event):
    """The operator has confirmed this address, or wants none."""

    operator: str
    email: Annotated[str, PERSONAL]


@event()
class SessionsEnded(Event):
    operator: str


@event()
class SecondFactorReset(Event):
    operator: str
    reason: str


@event()
class RoleDefined(Event):
    definition: CustomRole


@event()
class RoleChanged(Event):
    before: CustomRole
    definition: CustomRole


@event()
class RoleRemoved(Event):
    role: str


@event()
class AccessReviewed(Event):
    """`digest` is the SHA-256 of the exported list, `operators` how many it has."""

    digest: str
    operators: int
    note: str
