"""The command on an uploaded file."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel.messages.messages import Command, command
from cqrs_app.kernel.messages.patterns import ONE_LINE, UUID
from cqrs_app.kernel.messages.permissions import Permission, Role

LONGEST_MAPPING = 20_000
"""Characters of a mapping as JSON."""
RUN = Permission("imports.run", Role.SUPERVISOR)

ImportId = Annotated[
    str,
    Meta(
        title="Import",
        description="The Imports page makes it when a file is sent.",
        examples=["5c7b3a52-93ab-4d5f-8a43-5a0f6a1f9d11"],
        pattern=UUID,
        min_length=36,
        max_length=36,
    ),
]
ProfileName = Annotated[
    str,
    Meta(
        title="Profile",
        examples=["online-retail"],
        pattern=r"^[a-z0-9-]+(?!\n)$",
        min_length=1,
        max_length=60,
    ),
]
FileName = Annotated[
    str,
    Meta(title="File", examples=["december.csv"], min_length=1, max_length=200),
]
Fingerprint = Annotated[
    str,
    Meta(
        title="SHA-256 of the file",
        examples=["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
        pattern=r"^[0-9a-f]{64}(?!\n)$",
        min_length=64,
        max_length=64,
    ),
]


@command(label="Start import", permission=RUN)
class StartImport(Command):
    """Import an uploaded file of history. Files are uploaded on the Imports page. A dry run changes
    nothing and says what the import would do."""

    import_id: ImportId
    profile: ProfileName
    file_name: FileName
    sha256: Fingerprint
    mapping: Annotated[
        str,
        Meta(
            title="Mapping",
            description="Which column is which field, as JSON. Empty: as the profile says.",
            pattern=ONE_LINE,
            max_length=LONGEST_MAPPING,
        ),
    ] = ""
    rehearsal: Annotated[bool, Meta(title="Dry run")] = False
