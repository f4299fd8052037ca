"""`bin/screenshots`: take the pictures of README and docs, of a demo shop that has just begun."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.processes.running import PROJECT, free_port, read_until, running
from tests.services.browser import ARGUMENTS, find_chromium

WINDOW = {"width": 1440, "height": 900}
PASSWORD = "nine grey geese on a lake"
PATIENCE_MS = 120_000
"""Until the opening of the demo shop has brought an order so far."""
ROW = "#orders-table a[data-row]"


def main(folder: Path) -> None:
    program = find_chromium()
    if program is None:
        raise SystemExit("There is no Chromium. Install it, or set CHROMIUM to where it is.")
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        port = free_port()
        settings = {"DATA_DIR": data, "PORT": str(port), "ADMIN_PASSWORD": PASSWORD}
        with running(PROJECT / "bin" / "run", **settings) as console:
            read_until(console, "Ctrl-C")
            chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
            page = chromium.new_page(viewport=WINDOW, base_url=f"http://127.0.0.1:{port}")
            page.set_default_timeout(PATIENCE_MS)
            sign_in(page)
            open_order(page)
            page.screenshot(path=folder / "order.png")
            print(f"{folder / 'order.png'}: {page.title()}")
            chromium.close()


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.fill("[name=name]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")


def open_order(page: Page) -> None:
    """An order that is ready to ship."""
    page.goto("/orders?stage=ready_to_ship")
    while not page.locator(ROW).count():
        page.wait_for_timeout(1_000)
        page.reload()
    page.locator(ROW).first.click()
    page.wait_for_url("**/orders/*")
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
