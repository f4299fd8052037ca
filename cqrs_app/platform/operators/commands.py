"""What administrators do about operators and roles, and what the console records itself. Secrets
are in no command: see chosen_passwords.py and links.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from cqrs_app.areas.types import reason
from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.patterns import ONE_LINE
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.kernel.privacy.personal import PERSONAL
from cqrs_app.platform.operators.roles import SYSTEM_NAMES
from cqrs_app.platform.operators.tables import NAME_LENGTH
from cqrs_app.platform.operators.types import (
    AmountLimit,
    Countries,
    CustomRoleName,
    OperatorName,
    Permissions,
    RoleName,
    Teams,
)
from cqrs_app.standards.email import email_address

MANAGE = Permission("operators.manage", Role.ADMIN)
RECORD = Permission("operators.record", None)
"""What the console does itself: record passwords, and operators of an earlier release."""

DisplayName = Annotated[
    str,
    Meta(
        title="Display name",
        description="How the name is shown. Empty: the name of the account.",
        examples=["Maria Lund"],
        pattern=ONE_LINE,
        max_length=100,
    ),
    PERSONAL,
]
Team = Annotated[
    str,
    Meta(
        title="Team",
        description="Orders can be assigned to a team. Empty for none.",
        examples=["returns"],
        pattern=rf"^([a-z0-9][a-z0-9._\-]{{0,{NAME_LENGTH - 1}}})?(?!\n)$",
        max_length=NAME_LENGTH,
    ),
]
Email = Annotated[
    str,
    Meta(
        title="E-mail",
        description="Sign-in links are sent there. Empty to pass them on yourself.",
        examples=["maria@shop.example"],
        pattern=r"^([^@]+@[^@]+)?(?!\n)$",
        max_length=254,
        extra={"autocomplete": "off", "inputmode": "email", "spellcheck": "false"},
    ),
    PERSONAL,
]


def _check_email(text: str) -> Iterator[tuple[str, str]]:
    try:
        email_address(text or "nobody@shop.example")
    except ValueError as error:
        yield "email", str(error)


@command(label="Invite operator", permission=MANAGE, step_up=True)
class InviteOperator(Command):
    """Create an account. Its operator chooses a password with a link that works once."""

    operator: Annotated[OperatorName, Meta(extra={"lookup": ""})]
    role: RoleName
    display_name: DisplayName = ""
    email: Email = ""
    team: Team = ""

    def check(self) -> Iterator[tuple[str, str]]:
        if self.operator in SYSTEM_NAMES:
            yield "operator", f"{self.operator} is the name of a part of the system."
        yield from _check_email(self.email)


@command(label="Change role", permission=MANAGE, step_up=True)
class ChangeOperatorRole(Command):
    """Give the operator another role, from the next request on."""

    operator: OperatorName
    role: RoleName


@command(label="Change team", permission=MANAGE, step_up=True)
class ChangeOperatorTeam(Command):
    """Put the operator into another team, or into none."""

    operator: OperatorName
    team: Team = ""


@command(label="Change details", permission=MANAGE, step_up=True)
class ChangeOperatorDetails(Command):
    """Change how the operator is shown, and where sign-in links are sent."""

    operator: OperatorName
    display_name: DisplayName = ""
    email: Email = ""

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _check_email(self.email)


@command(label="Disable operator", permission=MANAGE, risky=True, step_up=True)
class DisableOperator(Command):
    """End all sessions, and refuse sign-in and the API tokens that this operator made."""

    operator: OperatorName
    reason: Annotated[str, reason(least=None, example="Left the company.")] = ""


@command(label="Enable operator", permission=MANAGE, step_up=True)
class EnableOperator(Command):
    """Let the operator sign in again, with the password from before."""

    operator: OperatorName


@command(label="Reset password", permission=MANAGE, risky=True, step_up=True)
class ResetPassword(Command):
    """End all sessions and the current password. The operator chooses another with a link that
    works once."""

    operator: OperatorName


@command(label="End sessions", permission=MANAGE, risky=True, step_up=True)
class EndSessions(Command):
    """Sign the operator out everywhere."""

    operator: OperatorName


@command(label="Reset second factor", permission=MANAGE, risky=True, step_up=True)
class ResetSecondFactor(Command):
    """Remove the authenticator app, passkeys and recovery codes, and end all sessions."""

    operator: OperatorName
    reason: Annotated[
        str,
        reason(
            "Shown to the operator at the next sign-in, and kept in the history.",
            most=300,
            example="Lost her phone.",
        ),
    ]


@command(label="Record password", permission=RECORD)
class RecordPassword(Command):
    """Recorded by the console when a password was chosen. `temporary`: by somebody else, so the
    operator chooses another at the next sign-in."""

    operator: OperatorName
    temporary: bool = False


@command(label="Record e-mail address", permission=RECORD)
class RecordEmail(Command):
    """Recorded by the console when an operator has confirmed an address, or wants none."""

    operator: OperatorName
    email: Email = ""

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _check_email(self.email)


@command(label="Record operator", permission=RECORD)
class RecordOperator(Command):
    """Recorded by the console about an operator who was created before operators had a history."""

    operator: OperatorName
    role: RoleName
    created_at: Annotated[datetime, Meta(tz=True)]
    disabled_at: Annotated[datetime, Meta(tz=True)] | None = None
    display_name: DisplayName = ""
    team: Team = ""


@command(label="Define role", permission=MANAGE, step_up=True)
class DefineRole(Command):
    """Create a role with some of the permissions of a built-in one, and limits."""

    role: Annotated[CustomRoleName, Meta(extra={"lookup": ""})]
    based_on: Annotated[
        Role,
        Meta(
            title="Based on",
            description="The role has at most its permissions, and counts as it in approval "
            "policies and for second factors.",
        ),
    ]
    permissions: Permissions
    amounts: Annotated[
        tuple[AmountLimit, ...],
        Meta(title="Amount limits", max_length=50),
    ] = ()
    countries: Countries = ()
    teams: Teams = ()

    def check(self) -> Iterator[tuple[str, str]]:
        if self.role in list(Role):
            yield "role", f"{self.role} is a built-in role. Choose another name."


@command(label="Change custom role", permission=MANAGE, minds_version=True, step_up=True)
class ChangeRole(Command):
    """Change what everybody with this role may do, from their next request on."""

    role: CustomRoleName
    permissions: Permissions
    amounts: Annotated[
        tuple[AmountLimit, ...],
        Meta(title="Amount limits", max_length=50),
    ] = ()
    countries: Countries = ()
    teams: Teams = ()


@command(label="Remove role", permission=MANAGE, risky=True, step_up=True)
class RemoveRole(Command):
    """Remove a role that nobody has."""

    role: CustomRoleName


@command(label="Record access review", permission=MANAGE, step_up=True)
class RecordAccessReview(Command):
    """State that you have checked who may do what, exactly as it is shown."""

    digest: Annotated[
        str,
        Meta(
            title="What was shown",
            description="The digest of the access list that was reviewed.",
            examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
            pattern=r"^[0-9a-f]{64}(?!\n)$",
            extra={"widget": "hidden"},
        ),
    ]
    note: Annotated[
        str, reason("What was found, and what changes.", least=None, example="No changes needed.")
    ] = ""
