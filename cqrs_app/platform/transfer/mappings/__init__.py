"""Import mappings that were saved under a name, for everybody."""

from __future__ import annotations

from cqrs_app.kernel.queries.answers import from_state
from cqrs_app.kernel.registry import Area
from cqrs_app.platform.transfer.mappings import events
from cqrs_app.platform.transfer.mappings.mappings import ImportMappings
from cqrs_app.platform.transfer.mappings.queries import ListImportMappings, list_import_mappings

MAPPINGS = Area(
    name="mappings",
    aggregates=[ImportMappings],
    events=events,
    answers={ListImportMappings: from_state(ImportMappings, list_import_mappings)},
)
