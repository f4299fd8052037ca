"""Selecting rows of the orders list in a browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.services.stores import on_one_database


@on_one_database
def test_one_row_all_that_match_and_none_are_selected(signed_in: Callable[..., Page]) -> None:
    page = signed_in("operator")
    page.goto("/orders?limit=10")
    count = page.locator("[data-selected-count]")
    everything = page.get_by_role("button", name="Select all")
    page.locator("[data-pick]").first.check()
    expect(count).to_have_text("1 selected")
    everything.click()
    expect(count).to_have_text("40 selected")
    expect(everything).to_be_hidden()
    # Who chooses single rows again no longer means all that match.
    page.locator("[data-pick]").nth(1).check()
    expect(count).to_have_text("2 selected")
    expect(page.locator("input[type=hidden][name=everything]")).to_be_disabled()
    everything.click()
    expect(count).to_have_text("40 selected")
    page.get_by_role("button", name="Clear").click()
    expect(count).to_have_text("")
    page.goto("/orders?limit=100")
    page.locator("[data-pick]").first.check()
    expect(count).to_have_text("1 selected")
    expect(everything).to_be_hidden()
