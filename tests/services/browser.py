"""A real Chromium, and checks that apply to every page."""

from __future__ import annotations

import importlib.util
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)
from werkzeug.serving import make_server

from tests.services.obtainable import unobtainable

SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
"""Chromium without the window around the page, which costs more than the page itself."""
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""The accessibility checker's rules for WCAG 2.2 A and AA, and its best practices."""
COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that a colour theme can break."""
PATIENCE_MS = 30_000
"""How long a page may take to show what a test expects. A busy machine takes several seconds."""
Violations = Callable[..., list[str]]
CSP_WORDS = ("Content Security Policy", "Content-Security-Policy")


def find_chromium(names: tuple[str, ...] = PROGRAMS) -> str | None:
    """CHROMIUM, or the first program with one of these names."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once per test process."""
    program = find_chromium((*SHELLS, *PROGRAMS))
    if program is None:
        unobtainable(
            "Chromium",
            "apt-get install chromium-headless-shell, or set CHROMIUM to where one is.",
        )
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page_problems() -> Iterator[list[str]]:
    """Problems that no page may have. A test may clear those that it caused on purpose."""
    problems: list[str] = []
    yield problems
    assert not problems, "\n".join(problems)


@pytest.fixture
def new_page(browser: Browser, page_problems: list[str]) -> Iterator[Callable[..., Page]]:
    """`new_page(**context_options)`: a watched page in a new browser session."""
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        watch(page, page_problems)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One watched page, 1440 by 900."""
    return new_page(viewport={"width": 1440, "height": 900})


HERE = ("127.0.0.1", "localhost")


def watch(page: Page, problems: list[str]) -> None:
    """Record script errors, violations of the security policy, and requests to other machines."""

    def on_console(message: ConsoleMessage) -> None:
        if any(words in message.text for words in CSP_WORDS):
            problems.append(f"policy: {message.text}")

    def on_request(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in HERE:
            problems.append(f"another origin: {address}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("request", lambda request: on_request(request.url))


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """`serve(app)` responds to real requests in a thread; returns its http URL."""
    servers = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The script of axe-core, the accessibility checker."""
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def accessibility_violations(axe_source: str) -> Violations:
    """`accessibility_violations(page, rules)`: one line per broken rule and element."""

    def run(page: Page, rules: tuple[str, ...] = WCAG) -> list[str]:
        # Evaluated, since the pages' security policy forbids adding a script element.
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe_source)
        found = page.evaluate(
            "async runOnly => (await axe.run({runOnly, resultTypes: ['violations']})).violations",
            rules,
        )
        return [
            f"{rule['id']}: {rule['help']} at {' '.join(map(str, node['target']))}"
            for rule in found
            for node in rule["nodes"]
        ]

    return run
