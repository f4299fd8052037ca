"""Pages that fail."""

from __future__ import annotations

from unittest.mock import DEFAULT, Mock, patch

from flask import Flask

from cqrs_app.interfaces.web.page_freshness import page_freshness
from tests.interfaces.web.pages.conftest import client_in


def test_a_page_that_fails_after_its_panels_is_an_error_page_with_its_number(
    shared_shop: Flask,
) -> None:
    failing = Mock(wraps=page_freshness, side_effect=[RuntimeError("x"), DEFAULT])
    client = client_in(shared_shop, "operator")
    with patch.dict(shared_shop.jinja_env.globals, page_freshness=failing):
        answer = client.get("/products")
    assert answer.status_code == 500
    assert "Something went wrong here." in answer.text
    assert "<dt>Number</dt>" in answer.text
    assert failing.call_count == 2
