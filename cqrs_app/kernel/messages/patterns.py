"""What texts may be made of, as patterns for the types of messages.

Control characters and halves of surrogate pairs cannot be stored by every database. Characters
that show nothing would make two texts of what reads as one. The last look-ahead is there because
`$` also matches before a line break at the end.
"""

from __future__ import annotations

import re

# Literal characters, not escapes of the pattern: above U+FFFF, Python and ECMAScript escape
# differently.
INVISIBLE = (
    # Category Cf of Unicode 17.
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
    # Separators of lines and paragraphs, a joiner, fillers that are letters, an empty Braille cell
    # and a note without a head.
    "\u2028\u2029\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800\U0001d159"
)

# Ids are segments of URLs, so "." and ".." must not match.
ID = r"^[A-Za-z0-9][A-Za-z0-9._\-]*(?!\n)$"
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\n)$"
ONE_LINE = rf"^[^\x00-\x1f\x7f-\x9f{INVISIBLE}\ud800-\udfff]*(?!\n)$"
LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]*$"


_BEYOND = re.compile("[\U00010000-\U0010ffff](-[\U00010000-\U0010ffff])?")


def portable(pattern: str) -> str:
    """The same pattern for RE2 and ECMAScript, as far as both can express it. There `$` matches
    only at the very end, and RE2 supports neither look-ahead nor surrogates, which valid UTF-8
    never contains. ECMAScript sees a character above U+FFFF as two, so classes leave those out."""
    same = pattern.replace(r"(?!\n)$", "$").replace(r"\ud800-\udfff", "")
    return _BEYOND.sub("", same)
