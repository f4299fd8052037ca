"""What a browser has to load: each page with everything it refers to, with gzip allowed.

Only the fonts count that a browser would load: those whose `unicode-range` contains a character of
the page. A repeat visit keeps what the responses allow to cache, and revalidates the rest by its
ETag. Sizes in kB of 1,000 bytes, including response headers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin

from bench import product
from bench.case import Sides
from bench.clients.browser import Browser, Reply
from bench.processes.web import console_server, signed_in
from bench.rounds import Plan
from cqrs_app.platform.demo import load_if_empty
from cqrs_app.services import services_of

_IN_PAGE = re.compile(
    r"""<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)"|<use href="([^"#]+)"""
)
_IN_STYLE = re.compile(r"""@import url\("([^"]+)"\)""")
_FONT = re.compile(r"@font-face\s*{[^}]*}")


@dataclass(slots=True)
class Visitor:
    """A browser with a cache: path -> cached response."""

    browser: Browser
    kept: dict[str, Reply] = field(default_factory=dict)

    def visit(self, page: str) -> float:
        """How many kB are transferred for this page and everything on it."""
        reply = self.browser.get(page)
        assert reply.status == 200, f"{page} answered {reply.status}"
        waiting = [urljoin(page, found) for found in _referred(reply.text)]
        size, seen = reply.size, set[str]()
        while waiting:
            path = waiting.pop()
            if path in seen or path.startswith("data:"):
                continue
            seen.add(path)
            size += self._load(path)
            if path.endswith(".css"):
                waiting += [urljoin(path, found) for found in _styled(self.kept[path], reply.text)]
        return size / 1000

    def _load(self, path: str) -> int:
        held = self.kept.get(path)
        if held and "immutable" in held.headers.get("cache-control", ""):
            return 0
        tag = held.headers.get("etag") if held else None
        reply = self.browser.get(path, **({"If_None_Match": tag} if tag else {}))
        assert reply.status in (200, 304), f"{path} answered {reply.status}"
        if reply.status == 200:
            self.kept[path] = reply
        return reply.size


def _referred(page: str) -> set[str]:
    return {first or second for first, second in _IN_PAGE.findall(page)}


def _styled(style: Reply, page: str) -> Iterator[str]:
    """The style sheets that this one imports, and its fonts for the characters of the page."""
    text = style.text
    yield from _IN_STYLE.findall(text)
    points = {ord(character) for character in page}
    for font in _FONT.findall(text):
        address = re.search(r'url\("([^"]+)"\)', font)
        if address and any(point in each for each in _ranges(font) for point in points):
            yield address[1]


def _ranges(font: str) -> Iterator[range]:
    for first, last in re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", font):
        yield range(int(first, 16), int(last or first, 16) + 1)


@contextmanager
def sides(plan: Plan) -> Iterator[Sides]:
    """Home, the order list and one order, each in a new browser. The heaviest counts."""
    with product.console("sqlite") as app:
        load_if_empty(
            services_of(app).kernel, services_of(app).settings.demo_orders, lambda text: None
        )
        kernel = services_of(app).kernel
        product.catch_up(kernel)
        with console_server(app) as server:
            browser = signed_in(app, server)
            order = re.search(r'data-row href="([^"]+)"', browser.get("/orders").text)
            assert order, "the list of orders is empty"
            pages = ("/", "/orders", order[1])

            def visit(again: bool) -> float:
                found = []
                for page in pages:
                    visitor = Visitor(browser)
                    first = visitor.visit(page)
                    found.append(visitor.visit(page) if again else first)
                return max(found)

            yield {"first visit": lambda _: visit(False), "repeat visit": lambda _: visit(True)}
