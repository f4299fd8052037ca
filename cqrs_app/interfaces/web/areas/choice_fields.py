"""Fields of derived forms whose choices depend on who asks, or on what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import wtforms

from cqrs_app.interfaces.web.forms_derived import Usable
from cqrs_app.interfaces.web.forms_fields import CheckboxesField
from cqrs_app.kernel.messages.description import field_of

Choices = Callable[[], Iterable[tuple[str, str]]]


def choice(name: str, choices: Choices, *, described: bool = False) -> Callable[[type], Any]:
    """One of these choices; `described` with the help of the message's field."""

    def made(cls: type) -> Any:
        field = field_of(cls, name)
        return wtforms.SelectField(
            field.title,
            description=field.help if described else "",
            validators=[Usable(cls, name, needed=field.needed)],
            choices=choices,
            # The kernel reports it, in the same words everywhere.
            validate_choice=False,
        )

    return made


def checkboxes(
    name: str, choices: Choices, group_of: Callable[[str], str]
) -> Callable[[type], Any]:
    """Several of these choices, folded by group."""

    def made(cls: type) -> Any:
        field = field_of(cls, name)
        return CheckboxesField(
            field.title,
            choices(),
            group_of,
            description=field.help,
            validators=[Usable(cls, name, needed=field.needed)],
        )

    return made
