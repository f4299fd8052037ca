"""Attaching a file in a browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.interfaces.web.pages.conftest import catch_up, order_in
from tests.services.browser import Violations

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.mark.parametrize("width", [390, 1440])
def test_a_file_is_chosen_attached_and_saved_as_it_was(
    shop: Flask,
    width: int,
    tmp_path: Path,
    signed_in: Callable[..., Page],
    accessibility_violations: Violations,
) -> None:
    order_id = order_in(shop, "placed")
    photo = tmp_path / "the damage, with a long name that says what is seen on it.png"
    photo.write_bytes(PNG)
    browser = signed_in("supervisor", viewport={"width": width, "height": 900})
    browser.goto(f"/orders/{order_id}")
    browser.get_by_role("link", name="Attach file").click()
    browser.locator("input[type=file]").set_input_files(photo)
    assert accessibility_violations(browser) == []
    if folder := os.environ.get("SCREENSHOTS"):
        browser.screenshot(path=f"{folder}/attach-{width}.png", full_page=True)
    browser.get_by_role("button", name="Attach file").click()
    expect(browser.get_by_text(f"{photo.name} was attached.")).to_be_visible()
    catch_up(shop)
    panel = browser.get_by_role("region", name="Attachments")
    with browser.expect_download() as download:
        panel.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == PNG
    assert download.value.suggested_filename == photo.name
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert accessibility_violations(browser) == []
    if folder := os.environ.get("SCREENSHOTS"):
        browser.screenshot(path=f"{folder}/order-{width}.png", full_page=True)
    panel.get_by_role("link", name="Remove").click()
    dialog = browser.get_by_role("dialog")
    expect(dialog.get_by_text(photo.name)).to_be_visible()
    if folder := os.environ.get("SCREENSHOTS"):
        browser.screenshot(path=f"{folder}/remove-{width}.png")
    dialog.get_by_role("button", name="Remove attachment").click()
    expect(dialog).to_be_hidden()
    catch_up(shop)
    expect(panel.get_by_text("No attachments yet.")).to_be_visible(timeout=10_000)
