"""What people do with documents."""

from typing import Annotated

from msgspec import Meta

from cqrs_app.kernel import ID, Command, NormalForm, Permission, Role, command

VIEW = Permission("documents.view", Role.VIEWER)
EDIT = Permission("documents.edit", Role.OPERATOR)
ARCHIVE = Permission("documents.archive", Role.OPERATOR)

LONGEST = 20_000
"""Characters of a text."""

DocumentId = Annotated[
    str, Meta(title="Document", examples=["HANDBOOK"], pattern=ID, max_length=40)
]
Title = Annotated[str, Meta(title="Title", examples=["Handbook"], min_length=1, max_length=120)]
Text = Annotated[str, Meta(title="Text", max_length=LONGEST, extra={"widget": "textarea"})]
Piece = Annotated[Text, NormalForm(trims=False)]
"""A part of a text, with the spaces and line breaks at its ends."""
BaseVersion = Annotated[
    int, Meta(title="Version that you edited", examples=[1], ge=1, le=1_000_000)
]
Merge = Annotated[
    bool,
    Meta(
        title="Merge",
        description="Keep changes that others made elsewhere in the text meanwhile. Without it, "
        "any change since that version is a conflict.",
    ),
]


@command(label="Create document", permission=EDIT)
class CreateDocument(Command):
    """Begin a document."""

    document_id: DocumentId
    title: Title
    text: Text = ""


@command(label="Apply edit", permission=EDIT)
class ApplyDocumentEdit(Command):
    """Put a text in place of some characters of a version. For programs; people save the text."""

    document_id: DocumentId
    base_version: BaseVersion
    position: Annotated[int, Meta(title="Position", examples=[0], ge=0, le=LONGEST)]
    length: Annotated[int, Meta(title="Characters replaced", ge=0, le=LONGEST)] = 0
    text: Piece = ""
    merge: Merge = True


@command(label="Save text", permission=EDIT)
class SaveDocument(Command):
    """Save the text as you edited it."""

    document_id: DocumentId
    base_version: Annotated[
        int, Meta(title="Version that you edited", ge=1, le=1_000_000, extra={"widget": "hidden"})
    ]
    text: Text = ""
    merge: Merge = True


@command(label="Archive document", permission=ARCHIVE)
class ArchiveDocument(Command):
    """Nobody edits it any more."""

    document_id: DocumentId
