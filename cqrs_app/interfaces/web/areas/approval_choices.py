"""The form of a policy offers what there is: actions, statuses, countries, people and teams."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than stubs

from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.forms_derived import Usable, field_for, form_of_value, with_options
from cqrs_app.interfaces.web.forms_fields import CheckboxesField, FormField
from cqrs_app.kernel.messages.description import field_of
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.approvals.commands import DelegateSignatures, SetApprovalPolicy
from cqrs_app.platform.approvals.policies import ApprovalPolicies
from cqrs_app.platform.approvals.types import ApprovalStage
from cqrs_app.plugins import installed
from cqrs_app.services import kernel, services
from cqrs_app.standards.countries import codes_by_name

_LETTERS = (
    "A\N{EN DASH}B",
    "C\N{EN DASH}F",
    "G\N{EN DASH}K",
    "L\N{EN DASH}N",
    "O\N{EN DASH}S",
    "T\N{EN DASH}Z",
)
Choices = Callable[[], Iterable[tuple[str, str]]]


class ChoicesField(CheckboxesField):
    """What is chosen stays in the form, also where it is not offered any more, such as a person who
    has left."""

    def process(self, *args: Any, **kwargs: Any) -> None:
        super().process(*args, **kwargs)
        listed: list[Any] = list(self.choices or ())
        offered = {each.value for each in listed}
        gone = [SelectChoice(each, each) for each in self.data or () if each not in offered]
        self.choices = [*listed, *gone]


def _chosen_from(name: str, choices: Choices, group_of: Callable[[str], str] | None = None) -> Any:
    """For `WebArea.form_fields`: the field `name`, with a box for each choice."""

    def made(cls: type) -> Any:
        field = field_of(cls, name)
        return ChoicesField(
            label=field.title,
            choices=choices,
            group_of=group_of or (lambda value: ""),
            description=field.help if name in ("people", "teams") else "",
            validators=[Usable(cls, name, needed=field.needed)],
        )

    return made


def _stages(cls: type[Command]) -> Any:
    """The stages, with the people and teams that there are."""
    derived = field_for(cls, "stages")
    named = {
        "people": _chosen_from("people", _people)(ApprovalStage),
        "teams": _chosen_from("teams", _teams)(ApprovalStage),
    }
    row = type("ApprovalStageForm", (form_of_value(ApprovalStage),), named)
    derived.args = (FormField(row), *derived.args[1:])
    return derived


def _commands() -> list[tuple[str, str]]:
    return [(each.__name__, each.declaration.label) for each in policed()]


def policed() -> list[type[Command]]:
    """The commands that a policy can be about, and that people send."""
    return [
        command
        for command, handler in kernel.registry.routes.items()
        if command.declaration.permission.role is not None
        and (_area_of(command) or handler.aggregate is ApprovalPolicies)
    ]


def _area_of(command: type[Command]) -> str:
    """The name of the area of a command, of the console or a plug-in; empty for the platform's."""
    parent, _, area = command.__module__.rpartition(".")[0].rpartition(".")
    if parent.endswith(".areas"):
        return area
    aggregate = kernel.registry.routes[command].aggregate
    return next((each.name for each in installed() if aggregate in each.area.aggregates), "")


def _group_of_command(name: str) -> str:
    """What folds the actions of an area."""
    command = kernel.registry.commands.get(name)
    area = (command and _area_of(command)) or "approvals"
    return area.replace("_", " ").capitalize()


def _statuses() -> list[tuple[str, str]]:
    return [(str(each), each.label) for each in OrderStatus]


def _countries() -> list[tuple[str, str]]:
    formats = formats_of(services.settings.locale)
    return sorted(
        ((each, formats.country(each)) for each in codes_by_name()), key=lambda each: each[1]
    )


def _group_of_country(name: str) -> str:
    """Two hundred countries are folded by their first letter."""
    shown = formats_of(services.settings.locale).country(name)
    first = unicodedata.normalize("NFD", shown)[:1].upper()
    return next((each for each in _LETTERS if first <= each[-1]), _LETTERS[-1])


def _people() -> list[tuple[str, str]]:
    return [(name, name) for name in services.assignees.all()]


def _names() -> Iterable[str]:
    return services.assignees.all()


def _teams() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted({*services.assignees.all().values()} - {""})]


POLICY_FIELDS: Mapping[tuple[type[Command], str], Callable[[type[Command]], Any]] = {
    (SetApprovalPolicy, "commands"): _chosen_from("commands", _commands, _group_of_command),
    (SetApprovalPolicy, "statuses"): _chosen_from("statuses", _statuses),
    (SetApprovalPolicy, "countries"): _chosen_from("countries", _countries, _group_of_country),
    (SetApprovalPolicy, "stages"): _stages,
    (DelegateSignatures, "delegate"): with_options("delegate", _names),
}
"""For `WebArea.form_fields`."""
