"""Field types of assignments."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

NAME = r"^([a-z0-9][a-z0-9._-]*)?(?!\n)$"
"""An operator's or a team's; empty for none."""


def _name(title: str, *examples: str, **hints: bool) -> Meta:
    return Meta(
        title=title,
        examples=list(examples) or None,
        pattern=NAME,
        max_length=40,
        extra={"autocomplete": "off", **hints},
    )


OperatorOrNone = Annotated[str, _name("Operator", "ana")]
TeamOrNone = Annotated[str, _name("Team")]
AssigneeOrAny = Annotated[str, _name("Assignee", "ana", person=True)]
TeamOrAny = Annotated[str, _name("Team")]
