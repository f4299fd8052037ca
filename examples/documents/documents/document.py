"""A document: its text, and the latest edits, with which those of others are merged."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cqrs_app.kernel import (
    Aggregate,
    Decision,
    Event,
    Performer,
    Refusal,
    handles,
    refuse_unless,
    value,
)
from documents.commands import (
    LONGEST,
    ApplyDocumentEdit,
    ArchiveDocument,
    CreateDocument,
    SaveDocument,
)
from documents.events import DocumentArchived, DocumentCreated, DocumentEdited, Edit
from documents.text import applied, edits_between, moved, touches, undone

MOST_KEPT = 50
"""Versions that an edit can be based on."""
MOST_CHARACTERS = 100_000
"""Of the edits that are kept for merging."""
LONGEST_QUOTE = 60

EXISTS = Refusal("document_exists", "A document has this name already.")
NOT_OPEN = Refusal("document_not_open", "There is no such document, or it is archived.")
CONFLICT = Refusal("edit_conflict", "Somebody else changed the same place, or anything at all.")
TOO_OLD = Refusal("version_too_old", "The version that was edited is too old to merge with.")
UNKNOWN_VERSION = Refusal("unknown_version", "The document never had the version that was edited.")
OUTSIDE = Refusal("outside_of_text", "The edit is about characters that the text does not have.")
TOO_LONG = Refusal("text_too_long", f"The text would have more than {LONGEST:,} characters.")
NO_CHANGE = Refusal("no_change", "The text is the same as before.")

IS_OPEN = refuse_unless(lambda document: document.is_open, NOT_OPEN)
EDITS = (CONFLICT, TOO_OLD, UNKNOWN_VERSION, TOO_LONG, NO_CHANGE)


@value
class Version:
    """The edits that made a version, and whose they were."""

    number: int
    editor: str
    edits: tuple[Edit, ...]


@dataclass
class Document(Aggregate):
    category: ClassVar[str] = "document"
    identity: ClassVar[str] = "document_id"

    text: str = ""
    version: int = 0
    is_open: bool = False
    latest: tuple[Version, ...] = ()

    @handles(CreateDocument, when=refuse_unless(lambda document: not document.version, EXISTS))
    def create(self, command: CreateDocument) -> Decision:
        yield DocumentCreated.of(command)

    @handles(SaveDocument, when=IS_OPEN, refusals=EDITS, performer=True)
    def save(self, command: SaveDocument, *, performer: Performer) -> Decision:
        base = self._text_at(command.base_version)
        # A form sends line ends as CR LF, and nothing of the space at both ends.
        text = command.text.replace("\r\n", "\n")
        begin, end = len(base) - len(base.lstrip()), len(base.rstrip())
        edits = edits_between(base, base[:begin] + text + base[end:] if base.strip() else text)
        yield self._edited(command, performer, edits)

    @handles(ApplyDocumentEdit, when=IS_OPEN, refusals=[*EDITS, OUTSIDE], performer=True)
    def apply(self, command: ApplyDocumentEdit, *, performer: Performer) -> Decision:
        base = self._text_at(command.base_version)
        if command.position + command.length > len(base):
            raise OUTSIDE.because(
                f"Version {command.base_version} has {len(base):,} characters.",
                "Count the position from 0.",
            )
        removed = base[command.position : command.position + command.length]
        edit = Edit(position=command.position, removed=removed, text=command.text)
        yield self._edited(command, performer, [] if edit.removed == edit.text else [edit])

    @handles(ArchiveDocument, when=IS_OPEN)
    def archive(self, command: ArchiveDocument) -> Decision:
        yield DocumentArchived.of(command)

    def _text_at(self, version: int) -> str:
        """The text of a version."""
        if version > self.version:
            raise UNKNOWN_VERSION.because(f"The document is at version {self.version}.")
        later = self._since(version)
        if version < self.version and (not later or later[0].number > version + 1):
            raise TOO_OLD.because(
                f"Version {version} is too old: the document is at version {self.version}.",
                "Open it again, and make your change there.",
            )
        text = self.text
        for each in reversed(later):
            text = undone(text, each.edits)
        return text

    def _since(self, version: int) -> list[Version]:
        return [each for each in self.latest if each.number > version]

    def _edited(
        self,
        command: ApplyDocumentEdit | SaveDocument,
        performer: Performer,
        edits: Iterable[Edit],
    ) -> DocumentEdited:
        later = self._since(command.base_version)
        if later and not command.merge:
            raise CONFLICT.because(
                f"{_names(later)} changed the document since version {command.base_version}.",
                "Open it again, or let your change be merged.",
            )
        found = tuple(self._merged(edit, later) for edit in edits)
        if not found:
            raise NO_CHANGE.because("The text is the same as before.")
        if len(applied(self.text, found)) > LONGEST:
            raise TOO_LONG.because(f"A text has at most {LONGEST:,} characters.")
        return DocumentEdited(
            document_id=command.document_id,
            editor=performer.name,
            base_version=command.base_version,
            edits=found,
        )

    def _merged(self, edit: Edit, later: Iterable[Version]) -> Edit:
        for version in later:
            for past in version.edits:
                if touches(edit, past):
                    raise CONFLICT.because(
                        f"{version.editor} changed {_quoted(past.removed)} to "
                        f"{_quoted(past.text)} in version {version.number}, where you changed "
                        f"{_quoted(edit.removed)} to {_quoted(edit.text)}.",
                        "Open the document again, and make your change there.",
                    )
                edit = moved(edit, past)
        return edit

    def evolve(self, event: Event, at: datetime) -> None:
        self.version += 1
        match event:
            case DocumentCreated():
                self.text, self.is_open = event.text.replace("\r\n", "\n"), True
            case DocumentEdited():
                self.text = applied(self.text, event.edits)
                new = Version(number=self.version, editor=event.editor, edits=event.edits)
                self.latest = tuple(_kept([*self.latest, new]))
            case DocumentArchived():
                self.is_open = False


def _kept(versions: list[Version]) -> list[Version]:
    """The newest of them, not too many and not too long."""
    left, kept = MOST_CHARACTERS, list[Version]()
    for version in reversed(versions[-MOST_KEPT:]):
        left -= sum(len(edit.removed) + len(edit.text) for edit in version.edits)
        if left < 0:
            break
        kept.append(version)
    return kept[::-1]


def _names(versions: Iterable[Version]) -> str:
    return " and ".join(dict.fromkeys(each.editor for each in versions))


def _quoted(text: str) -> str:
    """A text for a sentence."""
    words = " ".join(text.split())
    if not words:
        return "a line break" if text else "nothing"
    return f"“{words[:LONGEST_QUOTE]}…”" if len(words) > LONGEST_QUOTE else f"“{words}”"
