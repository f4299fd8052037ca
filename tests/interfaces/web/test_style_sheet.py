"""The style sheet: many files sent as one, and no rule in it that nothing uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, url_for
from flask.testing import FlaskClient

from cqrs_app.interfaces.web.static_files import style_sheet
from tests.interfaces.web.conftest import PROJECT

STYLES = PROJECT / "static" / "css"


def test_it_is_sent_under_one_address_that_a_browser_keeps(app: Flask) -> None:
    with app.test_request_context():
        address = url_for("static", filename="css/console.css")
    with app.test_client().get(address) as answer:
        assert answer.mimetype == "text/css"
        assert answer.text == style_sheet(STYLES)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_every_file_is_in_it(client: FlaskClient) -> None:
    with client.get("/static/css/console.css") as answer:
        sheet = answer.text
    missing = [path.name for path in STYLES.rglob("*.css") if path.read_text() not in sheet]
    assert not missing


def test_the_order_of_the_layers_is_not_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    for name in ("tokens", "base", "layout", "components/b", "components/a"):
        (tmp_path / f"{name}.css").write_text(f"{name[-1]} {{}}\n")

    first, *rest = style_sheet(tmp_path).split("\n", 1)

    assert first == "@layer tokens, base, layout, components;"
    assert re.findall(r"@layer (\w+) {\n(\w) {}\n}", rest[0]) == [
        *(("tokens", "s"), ("base", "e"), ("layout", "t")),
        *(("components", "a"), ("components", "b")),
    ]


def test_what_it_loads_is_there(client: FlaskClient) -> None:
    loaded = re.findall(r'url\("(?!data:)([^"]+)"\)', style_sheet(STYLES))
    assert loaded
    for address in loaded:
        with client.get(f"/static/css/{address}") as answer:
            assert answer.status_code == 200


def test_a_page_or_a_script_uses_every_class_in_it() -> None:
    used = set(_words())
    classes = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"url\(.*?\)", "", style_sheet(STYLES))))
    # Of `status-{{ name }}` the part before the name is found.
    unused = {name for name in classes if not {name, f"{name.partition('-')[0]}-"} & used}
    assert len(classes) > 100
    assert not unused


def _words() -> Iterator[str]:
    """The class names in templates, scripts and code that produces markup."""
    for pattern in ("templates/**/*.html", "static/**/*.js", "cqrs_app/**/*.py"):
        for path in PROJECT.glob(pattern):
            yield from re.findall(r"[\w-]+", path.read_text(encoding="utf-8"))
