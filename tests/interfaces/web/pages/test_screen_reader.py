"""What a screen reader reads: names, roles and sequence of the pages that are used most."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.interfaces.web.pages.conftest import order_in


@pytest.fixture
def kind() -> str:
    """How a page reads does not depend on its database."""
    return "sqlite"


@pytest.fixture
def page(signed_in: Callable[..., Page]) -> Page:
    return signed_in("admin", viewport={"width": 1440, "height": 900})


def test_an_order_reads_from_what_it_is_to_what_can_be_done_and_what_happened(
    page: Page, shop: Flask
) -> None:
    order_id = order_in(shop, "placed")
    page.goto(f"/orders/{order_id}")
    expect(page.get_by_role("main")).to_match_aria_snapshot(f"""
      - main:
        - region "Order {order_id}":
          - heading "Order {order_id}" [level=1]
          - text: Needs approval
          - term: Total
          - definition: /^[A-Z]{{3}} [0-9,.]+$/
          - group "Actions":
            - button "Approve order"
            - link "Hold order"
            - group: More actions
        - region /^Lines/:
          - heading /^Lines/ [level=2]
        - region "Fulfilment":
          - heading "Fulfilment" [level=2]
        - region "Timeline":
          - heading "Timeline" [level=2]
          - list:
            - listitem:
              - heading "Order placed" [level=3]
        - region "Customer":
          - heading "Customer" [level=2]
        - region "Delivery":
          - heading "Delivery" [level=2]
    """)


def test_a_list_and_its_rows_have_names(page: Page) -> None:
    page.goto("/orders?stage=needs_approval")
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
      - main:
        - heading "Orders" [level=1]
        - search "Filter orders":
          - searchbox "Search orders"
        - list "Filters in effect":
          - listitem:
            - link "Stage Needs approval remove this filter"
        - navigation "Views of orders":
          - link /^All/
        - region /order/:
          - heading /order/ [level=2]
          - table "Orders":
            - rowgroup:
              - row:
                - columnheader /Order$/
                - columnheader "Stage"
    """)


def test_a_dialog_says_what_it_is_about_before_it_asks(page: Page, shop: Flask) -> None:
    order_id = order_in(shop, "placed")
    page.goto(f"/orders/{order_id}")
    page.keyboard.press("h")
    expect(page.get_by_role("dialog")).to_match_aria_snapshot(f"""
      - dialog "Hold order {order_id}":
        - heading "Hold order {order_id}" [level=2]
        - paragraph: Put this order on hold until it is released.
        - paragraph: /[A-Z]{{3}} [0-9,.]+/
        - combobox "Reason"
        - textbox "Note optional"
        - button "Hold order {order_id}"
        - link "Back"
    """)


def test_fields_that_are_looked_up_are_comboboxes_from_the_start(page: Page) -> None:
    page.goto("/commands/PlaceOrder")
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
      - main:
        - heading "Place order" [level=1]
        - group "Customer":
          - combobox "Customer number optional"
        - group "Lines":
          - table "Lines":
            - rowgroup:
              - row:
                - cell:
                  - combobox "SKU, line 1"
        - group "Shipping address optional":
          - textbox "Recipient"
        - button "Place order"
    """)


def test_home_reads_what_needs_action_first(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
      - main:
        - heading "Home" [level=1]
        - region "Needs action":
          - heading "Needs action" [level=2]
          - link /^Needs approval [0-9]+/
    """)
