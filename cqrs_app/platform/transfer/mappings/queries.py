"""Queries about saved import mappings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Query, query
from cqrs_app.platform.transfer.mappings.mappings import ImportMappings
from cqrs_app.platform.transfer.uploads.commands import RUN


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """`content` is the mapping as JSON."""

    name: str
    content: str


@query(label="Import mappings", permission=RUN)
class ListImportMappings(Query):
    """The saved mappings, in the order of their names; with `mapping`, that one alone."""

    mapping: Annotated[str, Meta(title="Name", max_length=60)] = ""


def list_import_mappings(
    question: ListImportMappings, found: ImportMappings, version: int
) -> tuple[SavedMapping, ...]:
    return tuple(
        SavedMapping(name, content)
        for name, content in sorted(found.contents.items())
        if question.mapping in ("", name)
    )
