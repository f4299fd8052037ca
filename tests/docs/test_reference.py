"""The reference is complete, and safe to build."""

from __future__ import annotations

import re
from pathlib import Path

from cqrs_app import create_app
from cqrs_app.installed_areas import build_registry
from cqrs_app.interfaces.cli.reference import default_in_words
from cqrs_app.settings import Settings
from tests.console import close
from tests.processes.running import PROJECT

SETTING = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \| .* \|$", re.MULTILINE)


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
    page = (tmp_path / "reference" / "settings.md").read_text()
    assert "| `UNDO_SECONDS` | a whole number from 0 to 60 | `5` |" in page
    page = (tmp_path / "reference" / "metrics.md").read_text()
    assert (
        "| `countersign_commands_total` | counter | `name`, `outcome` | Commands by outcome |"
        in page
    )
    for index in ("index.md", "llms.txt"):
        listed = (tmp_path / index).read_text()
        pages = [each.stem for each in (PROJECT / "docs").glob("*.md")]
        assert [name for name in pages if name not in listed] == []


def test_docs_name_each_setting_once_with_its_default() -> None:
    text = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    explained, _, always_on = text.partition("## Always on")
    shown = SETTING.findall(explained)
    named = [name for name, _ in shown] + re.findall(
        r"^\| `([A-Z_]+)` \| ", always_on, re.MULTILINE
    )
    fields = Settings.__dataclass_fields__
    assert sorted(named) == sorted(name.upper() for name in fields if "_previous_" not in name)
    for name, default in shown:
        expected = default_in_words(fields[name.lower()].default)
        # Where the default is another setting or a file, it is empty in the code.
        assert expected in (default, "empty"), name
