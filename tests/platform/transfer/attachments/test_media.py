"""Which files may be attached."""

from __future__ import annotations

import pytest

from cqrs_app.kernel.errors import Refused
from cqrs_app.platform.transfer.attachments.media import KINDS, media_type_of

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"<html>", "photo.png", "is not a .png file"),
        (b"<html>", "page.html", "is of no kind"),
        (b"<svg onload='alert(1)'/>", "mark.svg", "is of no kind"),
        (b" %PDF-1.7", "bill.pdf", "is not a .pdf file"),
        (b"RIFF....WAVEfmt ", "sound.webp", "is not a .webp file"),
        (b"MZ\x90\x00", "list.csv", "is not a .csv file"),
        (PNG, "letter.docx", "is not a .docx file"),
        (PNG, "png", "is of no kind"),
        (PNG, "a.png.exe", "is of no kind"),
        (b"", "empty.txt", "is empty"),
    ],
)
def test_what_is_of_another_kind_is_refused(content: bytes, name: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        media_type_of(name, content)


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"%PDF-1.7", "a.pdf", "application/pdf"),
        (PNG, "a.b.png", "image/png"),
        (b"\xff\xd8\xff\xe0", "A.JPG", "image/jpeg"),
        (b"GIF89a", "a.gif", "image/gif"),
        (b"RIFF\x00\x00\n\x00WEBPVP8 ", "a.webp", "image/webp"),
        ("na\u00efve;fa\u00e7ade\r\n".encode("cp1252"), "a.csv", "text/csv"),
        (b"PK\x03\x04", "a.odt", "application/vnd.oasis.opendocument.text"),
    ],
)
def test_the_media_type_follows_from_the_name(content: bytes, name: str, media_type: str) -> None:
    assert media_type_of(name, content) == media_type


def test_no_kind_is_one_that_a_browser_runs() -> None:
    types = {media_type for media_type, _ in KINDS.values()}
    assert not {each for each in types if "html" in each or "svg" in each or "script" in each}
