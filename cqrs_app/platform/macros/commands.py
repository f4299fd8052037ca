"""What people do with macros: several commands under one name."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.permissions import Permission, Role
from cqrs_app.platform.views.commands import Owner

VIEW = Permission("macros.view", Role.VIEWER)
SAVE = Permission("macros.save", Role.OPERATOR)
SHARE = Permission("macros.share", Role.SUPERVISOR)
"""Needed besides to change the team's macros."""
MOST_STEPS = 10

MacroName = Annotated[
    str,
    Meta(
        title="Name",
        examples=["Hold and note"],
        pattern=r"^\S(.*\S)?(?!\n)$",
        min_length=1,
        max_length=40,
    ),
]
StepText = Annotated[str, Meta(pattern=r"^[A-Za-z]+(\?[!-~]*)?(?!\n)$", max_length=4_000)]


@command(label="Save macro", permission=SAVE)
class SaveMacro(Command):
    """Keep several actions under one name. A macro with this name is replaced."""

    macro: MacroName
    owner: Owner
    steps: Annotated[
        tuple[StepText, ...],
        Meta(
            title="Steps",
            description=(
                "In order. Each is a command with its fields, as in an address, without the thing "
                "that it is about."
            ),
            examples=[["HoldOrder?reason=fraud_check", "AddOrderNote?note=Call+the+customer"]],
            min_length=1,
            max_length=MOST_STEPS,
        ),
    ]


@command(label="Rename macro", permission=SAVE)
class RenameMacro(Command):
    """Give a macro another name."""

    owner: Owner
    macro: Annotated[MacroName, Meta(extra={"fixed": True})]
    new_name: Annotated[MacroName, Meta(title="New name")]


@command(label="Delete macro", permission=SAVE)
class DeleteMacro(Command):
    """Remove a macro. Batches that were created with it keep its steps."""

    owner: Owner
    macro: Annotated[MacroName, Meta(extra={"fixed": True})]
