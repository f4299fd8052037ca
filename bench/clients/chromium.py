"""An operator at a real Chromium: what something takes, and how the page behaves meanwhile.

LCP, INP and CLS as defined at https://web.dev/articles/vitals: INP is the longest interaction,
since there are too few to leave any out, and CLS leaves out shifts within 500 ms of an input.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from bench.case import Unavailable
from bench.processes.web import Server, signed_in
from tests.services.browser import ARGUMENTS, find_chromium

_OBSERVE = """
window.vitals = {lcp: 0, inp: 0, cls: 0};
const observe = (type, take, options) => new PerformanceObserver(list => {
    for (const entry of list.getEntries()) take(entry);
}).observe({type, buffered: true, ...options});
observe("largest-contentful-paint", entry => { vitals.lcp = entry.startTime; });
observe("layout-shift", entry => { if (!entry.hadRecentInput) vitals.cls += entry.value; });
observe("event", entry => {
    if (entry.interactionId) vitals.inp = Math.max(vitals.inp, entry.duration);
}, {durationThreshold: 16});
"""
QUIET_MS = 400
"""So long a page is left alone before its vitals are read."""
PATIENCE_MS = 60_000
"""Of a busy machine, for whatever is waited for."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """LCP and INP in ms. INP is 0 where no interaction took 16 ms."""

    lcp: float
    inp: float
    cls: float


@dataclass(slots=True)
class Operator:
    """Works on a page; counts clicks, keys and pages loaded since `begin`."""

    page: Page
    clicks: int = 0
    keys: int = 0
    loads: int = 0
    _begun: float = field(default_factory=time.perf_counter)

    def begin(self) -> None:
        self.clicks = self.keys = self.loads = 0
        self._begun = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._begun

    def open(self, path: str) -> None:
        """Until it is painted: what is painted after the first key is not LCP."""
        self.page.goto(path)
        until = time.monotonic() + PATIENCE_MS / 1000
        # The page forbids `eval`, which wait_for_function needs.
        while not self.page.evaluate("vitals.lcp > 0") and time.monotonic() < until:
            self.page.wait_for_timeout(20)

    def click(self, place: str | Locator) -> None:
        self.clicks += 1
        (self.page.locator(place) if isinstance(place, str) else place).click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys += 1
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.press(*text)

    def vitals(self) -> Vitals:
        """Of the page that is open, since it was loaded."""
        self.page.wait_for_timeout(QUIET_MS)
        return Vitals(**self.page.evaluate("vitals"))


@contextmanager
def chromium() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        raise Unavailable("Chromium is missing: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


def operator(browser: Browser, app: Flask, server: Server, name: str = "bench") -> Operator:
    """Somebody signed in as an administrator, at an empty page of 1440 x 900."""
    base = f"http://127.0.0.1:{server.port}"
    context = browser.new_context(base_url=base, viewport={"width": 1440, "height": 900})
    context.add_init_script(_OBSERVE)
    cookie, _, value = signed_in(app, server, name).headers["Cookie"].partition("=")
    context.add_cookies([{"name": cookie, "value": value, "url": base}])
    made = Operator(context.new_page())
    made.page.set_default_timeout(PATIENCE_MS)

    def loaded(_: object) -> None:
        made.loads += 1

    made.page.on("domcontentloaded", loaded)
    return made
