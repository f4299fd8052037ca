"""What people do with saved views of lists."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.patterns import ONE_LINE
from cqrs_app.kernel.messages.permissions import Permission, Role

VIEW = Permission("views.view", Role.VIEWER)
SAVE = Permission("views.save", Role.OPERATOR)
SHARE = Permission("views.share", Role.SUPERVISOR)
"""Needed besides to change the team's views."""

TEAM = "@team"
"""The owner of the views that everybody sees. No operator can have this name."""

Owner = Annotated[
    str,
    Meta(
        title="Shown to",
        description=f"The name of whoever saves it, or {TEAM}: for everybody.",
        examples=["maria"],
        pattern=r"^[^\s]+(?!\n)$",
        min_length=1,
        max_length=100,
    ),
]
ListName = Annotated[
    str,
    Meta(
        title="List",
        examples=["orders"],
        pattern=r"^[a-z][a-z0-9-]*(?!\n)$",
        min_length=1,
        max_length=40,
    ),
]
ViewName = Annotated[
    str,
    Meta(
        title="Name",
        examples=["Ready to ship, Germany"],
        pattern=r"^\S(.*\S)?(?!\n)$",
        min_length=1,
        max_length=40,
    ),
]


@command(label="Save view", permission=SAVE)
class SaveView(Command):
    """Keep the filters, sort and columns of a list under a name. A view with this name is
    replaced."""

    view: ViewName
    owner: Owner
    list: ListName
    query: Annotated[
        str,
        Meta(
            title="Filters, sort and columns",
            description="As in the address of the list. A search text cannot be saved.",
            examples=["stage=ready_to_ship&sort=placed_at&descending=0&columns=customer,total"],
            pattern=ONE_LINE,
            max_length=2_000,
            extra={"widget": "hidden"},
        ),
    ] = ""
    default_for: Annotated[
        Role | None,
        Meta(
            title="Default for",
            description="The role whose navigation opens this view. Team views only.",
        ),
    ] = None


@command(label="Rename view", permission=SAVE)
class RenameView(Command):
    """Give a view another name."""

    owner: Owner
    list: ListName
    view: Annotated[ViewName, Meta(extra={"fixed": True})]
    new_name: Annotated[ViewName, Meta(title="New name")]


@command(label="Delete view", permission=SAVE)
class DeleteView(Command):
    """Remove a view. The list and what it shows stay as they are."""

    owner: Owner
    list: ListName
    view: Annotated[ViewName, Meta(extra={"fixed": True})]
