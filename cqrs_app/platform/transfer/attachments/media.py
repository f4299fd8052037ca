"""Which files may be attached: by the ending of their name, and by what they begin with."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MappingProxyType

from cqrs_app.kernel.errors import Refusal, Refused

NOT_TAKEN = Refusal("file_not_taken", "Files of this kind or size cannot be attached.")
_NOT_KEPT = "The file was not kept."

# Signatures of images, PDF and ZIP: WHATWG MIME Sniffing, sections 6 and 7,
# https://mimesniff.spec.whatwg.org/
_PDF, _PNG, _JPEG, _GIF, _WEBP, _ZIP = map(
    re.compile,
    (
        rb"%PDF-",
        rb"\x89PNG\r\n\x1a\n",
        rb"\xff\xd8\xff",
        rb"GIF8[79]a",
        rb"RIFF....WEBPVP",
        rb"PK\x03\x04",
    ),
    (re.DOTALL,) * 6,
)
# "Binary data byte", section 3 of the same.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def _is_text(content: bytes) -> bool:
    return not _BINARY.search(content)


def _begins_with(signature: re.Pattern[bytes]) -> Callable[[bytes], bool]:
    return lambda content: signature.match(content) is not None


_OPEN_XML = "application/vnd.openxmlformats-officedocument."
KINDS = MappingProxyType(
    {
        "pdf": ("application/pdf", _begins_with(_PDF)),
        "png": ("image/png", _begins_with(_PNG)),
        "jpg": ("image/jpeg", _begins_with(_JPEG)),
        "jpeg": ("image/jpeg", _begins_with(_JPEG)),
        "gif": ("image/gif", _begins_with(_GIF)),
        "webp": ("image/webp", _begins_with(_WEBP)),
        "txt": ("text/plain", _is_text),
        "csv": ("text/csv", _is_text),
        "docx": (_OPEN_XML + "wordprocessingml.document", _begins_with(_ZIP)),
        "xlsx": (_OPEN_XML + "spreadsheetml.sheet", _begins_with(_ZIP)),
        "odt": ("application/vnd.oasis.opendocument.text", _begins_with(_ZIP)),
    }
)
"""Ending of a name -> media type, and whether a file is one."""


def media_type_of(name: str, content: bytes) -> str:
    """The media type of a file that may be attached. Raises Refused."""
    ending = name.rpartition(".")[2].lower()
    if "." not in name or ending not in KINDS:
        allowed = ", ".join(KINDS)
        raise NOT_TAKEN(f"{name} is of no kind that can be attached ({allowed}). {_NOT_KEPT}")
    media_type, is_one = KINDS[ending]
    if not content:
        raise NOT_TAKEN(f"{name} is empty. {_NOT_KEPT}")
    if not is_one(content):
        raise NOT_TAKEN(f"{name} is not a .{ending} file, whatever its name says. {_NOT_KEPT}")
    return media_type


def too_large(most: int) -> Refused:
    """The answer to a file of more than `most` bytes."""
    return NOT_TAKEN(f"The file is larger than {most / 1024 / 1024:,.1f} MiB. {_NOT_KEPT}")
