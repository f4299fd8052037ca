"""What happened to documents."""

from cqrs_app.kernel import Event, event, value


@value
class Edit:
    """`text` came in place of `removed`, which began at this position: an insertion removed
    nothing, a deletion has no text. Positions count from 0."""

    position: int
    removed: str
    text: str


@event()
class DocumentCreated(Event):
    document_id: str
    title: str
    text: str


@event()
class DocumentEdited(Event):
    """The edits follow one another: each position is that in the text after the ones before.
    `base_version` is the version that was edited; later changes by others were kept."""

    document_id: str
    editor: str
    base_version: int
    edits: tuple[Edit, ...]


@event()
class DocumentArchived(Event):
    document_id: str
