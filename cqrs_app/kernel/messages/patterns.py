"""What texts may be made of, as patterns for the types of messages.

Control characters and halves of surrogate pairs cannot be stored by every database. The last
look-ahead is there because `$` also matches before a line break at the end.
"""

from __future__ import annotations

# Ids stand in addresses of pages, so "." and ".." must not be one.
ID = r"^[A-Za-z0-9][A-Za-z0-9._\-]*(?!\n)$"
ONE_LINE = r"^[^\x00-\x1f\x7f\ud800-\udfff]*(?!\n)$"
LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*$"


def portable(pattern: str) -> str:
    """The same for RE2 and ECMAScript. There `$` is the very end, and RE2 knows neither look-ahead
    nor surrogates, which no text in UTF-8 has."""
    return pattern.replace(r"(?!\n)$", "$").replace(r"\ud800-\udfff", "")
