"""Values of security events."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import value
from cqrs_app.platform.operators.account import OperatorAccount
from cqrs_app.platform.operators.names import is_name


@value
class SettingDigest:
    """The keyed digest of a setting's value."""

    name: Annotated[str, Meta(max_length=60, pattern=r"^[A-Z0-9_]+(?!\n)$", examples=["HOST"])]
    digest: Annotated[
        str,
        Meta(pattern=r"^[0-9a-f]{32}(?!\n)$", examples=["9f86d081884c7d659a2feaa0c55ad015"]),
    ]


def stream_of_person(who: str, account: str) -> str:
    """The stream of the operator whose address it is: who acted, or else whose account it is about;
    empty if no operator is known."""
    for name in (who, account):
        if is_name(name):
            return OperatorAccount.stream_of(name)
    return ""
