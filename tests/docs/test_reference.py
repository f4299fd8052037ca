"""The reference is complete, and safe to build."""

from __future__ import annotations

from pathlib import Path

from cqrs_app import create_app
from cqrs_app.installed_areas import build_registry
from cqrs_app.settings import Settings
from tests.console import close
from tests.processes.running import PROJECT


def test_it_has_every_message_and_every_page(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path / "data").resolved(), pages=False)
    result = app.test_cli_runner().invoke(args=["reference", str(tmp_path)])
    close(app)
    assert result.exit_code == 0, result.output
    registry = build_registry()
    for kind, names in (
        ("commands", registry.commands),
        ("queries", registry.queries),
        ("events", registry.events),
    ):
        page = (tmp_path / "reference" / f"{kind}.md").read_text()
        assert [name for name in names if f"### {name}\n" not in page] == []
    for index in ("index.md", "llms.txt"):
        listed = (tmp_path / index).read_text()
        pages = [each.stem for each in (PROJECT / "docs").glob("*.md")]
        assert [name for name in pages if name not in listed] == []
