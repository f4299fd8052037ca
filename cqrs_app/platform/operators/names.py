"""Valid names of operators and tokens."""

from __future__ import annotations

import re

from cqrs_app.platform.operators.errors import UnusableName
from cqrs_app.platform.operators.roles import SYSTEM_NAMES
from cqrs_app.platform.operators.tables import NAME_LENGTH

_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{NAME_LENGTH - 1}}}")


def account_of(name: str) -> str:
    """The account that an entered name means: case and surrounding spaces are ignored."""
    return name.strip().casefold()


def usable_name(name: str, whose: str) -> str:
    """The name to store. Raises UnusableName. `whose` is used in the message, such as "an
    operator's"."""
    account = account_of(name)
    if not _NAME.fullmatch(account):
        raise UnusableName(
            f"{name!r} cannot be {whose} name: use letters a to z, digits, "
            f"dots and dashes, at most {NAME_LENGTH}, starting with a letter or digit."
        )
    if account in SYSTEM_NAMES:
        raise UnusableName(f"{account} is the name of a part of the system: choose another.")
    return account


def is_name(text: str) -> bool:
    """Whether an operator may be called so."""
    return bool(_NAME.fullmatch(text)) and text not in SYSTEM_NAMES
