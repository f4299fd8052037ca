"""Form fields made by hand, where what a declaration says makes a worse one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cqrs_app.installed_areas import SENDABLE
from cqrs_app.interfaces.web.forms_derived import Usable
from cqrs_app.interfaces.web.forms_fields import CheckboxesField
from cqrs_app.interfaces.web.presentation import event_words
from cqrs_app.kernel.messages.fields import hints_of, meta_of
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.webhooks.commands import AddWebhook, ChangeWebhook


def _event_types(cls: type[Command]) -> Any:
    meta = meta_of(hints_of(cls)["event_types"])
    return CheckboxesField(
        label=meta.title if meta and meta.title else "",
        choices=[(event.__name__, event_words(event.__name__)) for event in SENDABLE],
        description="None: all of them, also types that come later.",
        validators=[Usable(cls, "event_types", needed=False)],
    )


MADE: Mapping[tuple[type[Command], str], Callable[[type[Command]], Any]] = {
    (AddWebhook, "event_types"): _event_types,
    (ChangeWebhook, "event_types"): _event_types,
}
"""(command, field) -> what makes its form field instead of `field_for`."""
