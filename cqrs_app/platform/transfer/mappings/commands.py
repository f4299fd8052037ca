"""What people do with import mappings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.patterns import ONE_LINE
from cqrs_app.platform.transfer.uploads.commands import LONGEST_MAPPING, RUN

MappingName = Annotated[
    str,
    Meta(
        title="Name",
        description="Small letters, digits and hyphens.",
        examples=["my-shop"],
        pattern=r"^[a-z0-9-]+(?!\n)$",
        min_length=1,
        max_length=60,
    ),
]
_EXAMPLE = (
    '{"columns":{"number":"Order","at":"Date","sku":"Article","quantity":"Pieces",'
    '"unit_price":"Price","country":"Land"},"fixed":{"currency":"EUR"}}'
)
MappingContent = Annotated[
    str,
    Meta(
        title="Mapping",
        description="Which column is which field, as JSON. The Imports page makes it.",
        examples=[_EXAMPLE],
        pattern=ONE_LINE,
        min_length=2,
        max_length=LONGEST_MAPPING,
        extra={"spellcheck": "false"},
    ),
]


@command(label="Save import mapping", permission=RUN)
class SaveImportMapping(Command):
    """Keep a mapping under a name, for everybody. One with this name is replaced."""

    mapping: MappingName
    content: MappingContent

    def check(self) -> Iterator[tuple[str, str]]:
        # Imported here: the modules that read files are needed by few processes.
        from cqrs_app.platform.transfer.imports.mapping import BadMapping, stored_mapping
        from cqrs_app.platform.transfer.imports.profiles import PROFILES

        if self.mapping in PROFILES:
            yield "mapping", "A profile of the console has this name."
        try:
            problems = stored_mapping(self.content).problems
        except BadMapping as error:
            yield "content", str(error)
        else:
            for sentence in problems.values():
                yield "content", sentence


@command(label="Delete import mapping", permission=RUN)
class DeleteImportMapping(Command):
    """Remove a mapping. What was imported with it stays."""

    mapping: MappingName
