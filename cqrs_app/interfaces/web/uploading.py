"""Forms that send a file, and how large it may be: a different limit applies at their URLs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms import HiddenField, SelectField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than stubs
from wtforms.validators import InputRequired

from cqrs_app.interfaces.web.ask import ask
from cqrs_app.kernel.commands.context import new_id
from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.transfer.imports.profiles import PROFILES
from cqrs_app.platform.transfer.mappings.queries import ListImportMappings

COLUMNS = "columns"
"""The kind of a file whose columns are chosen on a page of their own."""
NO_FILE = "Choose a file."
FORM_BYTES = 64 * 1024
"""What the form needs beside its file."""
MOST_DRAINED = 16
"""Times the largest file: whoever sends more than that has the line cut."""
PIECE_BYTES = 1024 * 1024
LONGEST_NAME_BYTES = 200
"""Of a file name in UTF-8: what the file systems of all workers can hold."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload view's limits: who may send a file, of how many bytes, and the answer to a larger
    one.
    """

    permission: str
    largest: Callable[[], int]
    too_large: Callable[[int], Refused]


class UploadForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """`import_id` is made with the form: submitting it twice starts one import."""

    import_id = HiddenField(default=new_id)
    profile = SelectField(
        "Kind of file",
        [InputRequired()],
        choices=lambda: _kinds(),  # noqa: PLW0108 - it is defined below
        description="Of any file, you can choose the columns next and see its orders first.",
    )
    file = FileField("File", [FileRequired(NO_FILE)])

    def validate_file(self, field: Any) -> None:
        if not name_of(field.data):
            raise ValidationError(NO_FILE)


def _kinds() -> list[SelectChoice]:
    """Any file, those with a saved mapping, and those that the console knows."""
    saved = [each.name for each in ask(ListImportMappings()).value]
    return [
        SelectChoice(COLUMNS, "Any file: choose its columns"),
        *(SelectChoice(name, name, optgroup="Saved mappings") for name in saved),
        *(SelectChoice(name, name, optgroup="Known files") for name in sorted(PROFILES)),
    ]


def name_of(file: FileStorage) -> str:
    """The file's own name, without any folder and without characters that cannot be shown."""
    last = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in last if char.isprintable()).strip()
    cut = shown.encode(errors="ignore")[-LONGEST_NAME_BYTES:].decode(errors="ignore")
    return "" if cut in (".", "..") else cut


def allow_uploads() -> None:
    """Let a request with a file be as large as a file may be; raises RequestEntityTooLarge.

    For those who may send one only: from all others no more is read than from any other form.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    upload: Upload | None = getattr(view, "takes_file", None)
    if upload is None or not g.operator or not g.operator.may(upload.permission):
        return
    most = upload.largest()
    request.max_content_length = most + FORM_BYTES
    # Of fields, but also of what the parser reads at once: a lower limit would refuse every file.
    request.max_form_memory_size = PIECE_BYTES
    if (request.content_length or 0) > most + FORM_BYTES:
        discard_body(most * MOST_DRAINED)
        raise RequestEntityTooLarge(upload.too_large(most).sentence)


def discard_body(most: int) -> None:
    """Read and discard the request body, up to `most` bytes. A browser reads no response before it
    has sent everything: if the connection were closed, it would show an error of its own instead of
    the sentence.
    """
    if (request.content_length or 0) > most:
        return
    for _ in _pieces(request.content_length or 0):
        pass


def _pieces(left: int) -> Iterator[bytes]:
    stream = request.environ["wsgi.input"]
    while left > 0 and (piece := stream.read(min(left, PIECE_BYTES))):
        left -= len(piece)
        yield piece
