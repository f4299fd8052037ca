"""Finds what a page would load from another origin; run by bin/check.

Templates, styles, scripts and pictures may contain URLs in comments, namespaces and links, but may
load nothing from them: the console must work without internet access.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

AWAY = r"""["'(`\s]*(?:https?:|wss?:)?//"""
MARKUP = re.compile(
    r"<(?!a\b)[a-z][^>]*?\s(?:src|srcset|href|xlink:href|action|formaction|poster|data|"
    rf"hx-(?:get|post|put|patch|delete)|content)\s*=\s*{AWAY}",
    re.IGNORECASE,
)
STYLE = re.compile(rf"(?:url\(|@import\s){AWAY}", re.IGNORECASE)
SCRIPT = re.compile(
    r"(?:fetch\(|import\(|importScripts\(|\bfrom\s|\.open\(\s*[^,()]+,|\.src\s*=|\.href\s*=|"
    rf"new (?:Worker|WebSocket|EventSource)\(){AWAY}",
)
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
MARKUP_COMMENT = re.compile(r"<!--.*?-->|\{#.*?#\}", re.DOTALL)

RULES: dict[str, tuple[re.Pattern[str] | None, tuple[re.Pattern[str], ...]]] = {
    ".html": (MARKUP_COMMENT, (MARKUP, STYLE, SCRIPT)),
    ".svg": (MARKUP_COMMENT, (MARKUP, STYLE)),
    ".css": (CSS_COMMENT, (STYLE,)),
    ".js": (CSS_COMMENT, (SCRIPT,)),
}


def loads_from_elsewhere(path: Path, text: str) -> Iterator[str]:
    """The places in one file, as `line: excerpt`."""
    comment, patterns = RULES.get(path.suffix, (None, ()))
    if comment:  # its lines stay, so that numbers still fit
        text = comment.sub(lambda found: "\n" * found.group().count("\n"), text)
    for pattern in patterns:
        for found in pattern.finditer(text):
            line = text.count("\n", 0, found.end()) + 1
            yield f"{line}: {' '.join(text[found.start() : found.end() + 40].split())}"


def main() -> int:
    """Print every finding; 1 if there is one."""
    project = Path(__file__).resolve().parent.parent
    status = 0
    for folder in ("templates", "static"):
        for path in sorted((project / folder).rglob("*")):
            if path.suffix in RULES:
                for place in loads_from_elsewhere(path, path.read_text(encoding="utf-8")):
                    print(f"{path.relative_to(project)}:{place}")
                    status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
