"""The actor at the command line."""

from __future__ import annotations

import getpass

from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.platform.audit.origin import Origin
from cqrs_app.platform.operators.errors import AccountError
from cqrs_app.services import services

CHANNEL = "cli"
SHELL = Origin(channel=CHANNEL)


def acting_as(name: str | None) -> Actor:
    """The operator of this name with the permissions of their role; without a name, the machine's
    owner. Raises AccountError if there is no such operator or the account is disabled.
    """
    if name is None:
        return owner()
    operator = services.accounts.get(name)
    if operator.disabled_at is not None:
        raise AccountError(
            f"The account {operator.name} is disabled. Nothing was changed. Enable it with "
            f"`flask operators enable {operator.name}`, or act as somebody else."
        )
    return operator.actor


def owner() -> Actor:
    """Whoever works in this shell: with all permissions, since the databases are open to them
    anyway, and under a name that no operator can have.
    """
    return Actor(f"shell:{_user()}"[:100], frozenset[str]().union(*ROLES.values()))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user may have a number and no name.
        return "unknown"
