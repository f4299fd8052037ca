"""Recorded fields are shown under their titles, with the labels of codes."""

from __future__ import annotations

from flask import Flask

from cqrs_app.interfaces.web.recorded_fields import recorded_fields


def shown(command: str, **payload: object) -> dict[str, object]:
    return {each.label: each.value for each in recorded_fields(command, payload)}


def test_a_code_is_shown_by_its_label(console: Flask) -> None:
    with console.app_context():
        assert shown("HoldOrder", order_id="1", reason="stock_check") == {
            "Order number": "1",
            "Reason": "Stock check",
        }
        several = shown("SetApprovalPolicy", channels=["form", "cli"])
        assert several == {"Sent from": "Pages, Command line"}


def test_what_this_release_does_not_know_is_shown_as_it_is(console: Flask) -> None:
    with console.app_context():
        assert shown("HoldOrder", reason="gone_since") == {"Reason": "gone_since"}
        assert shown("NoCommand", old_field="x") == {"Old field": "x"}
