"""All saved import mappings, in one stream. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import handles, rule
from cqrs_app.kernel.errors import Refusal
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.platform.transfer.mappings.commands import DeleteImportMapping, SaveImportMapping
from cqrs_app.platform.transfer.mappings.events import ImportMappingDeleted, ImportMappingSaved

MOST_MAPPINGS = 200
NO_SUCH_MAPPING = Refusal("no_such_mapping", "There is no mapping of this name.")
TOO_MANY_MAPPINGS = Refusal("too_many_mappings", f"There are {MOST_MAPPINGS} mappings already.")


@rule(NO_SUCH_MAPPING)
def is_saved(mappings: ImportMappings, mapping: str) -> None:
    if mapping not in mappings.contents:
        raise NO_SUCH_MAPPING.because(f"There is no mapping {mapping}.", "Choose another one.")


@dataclass
class ImportMappings(Aggregate):
    """`contents` are by name, in the order in which they were first saved."""

    category: ClassVar[str] = "import_mappings"
    identity: ClassVar[str] = "mapping"

    contents: dict[str, str] = field(default_factory=dict)

    @classmethod
    def stream_of(cls, identity: str) -> str:
        return SAVED_MAPPINGS

    @handles(SaveImportMapping, refusals=[TOO_MANY_MAPPINGS])
    def save(self, command: SaveImportMapping) -> Iterator[Event]:
        if command.mapping not in self.contents and len(self.contents) >= MOST_MAPPINGS:
            raise TOO_MANY_MAPPINGS(
                f"There are {MOST_MAPPINGS} mappings already. Nothing was saved. Delete one that "
                "is no longer used."
            )
        if self.contents.get(command.mapping) != command.content:
            yield ImportMappingSaved(mapping=command.mapping, content=command.content)

    @handles(DeleteImportMapping, when=is_saved)
    def delete(self, command: DeleteImportMapping) -> Iterator[Event]:
        yield ImportMappingDeleted(mapping=command.mapping)

    def evolve(self, event: Event, at: datetime) -> None:
        match event:
            case ImportMappingSaved():
                self.contents[event.mapping] = event.content
            case ImportMappingDeleted():
                self.contents.pop(event.mapping, None)


SAVED_MAPPINGS = f"{ImportMappings.category}-all"
