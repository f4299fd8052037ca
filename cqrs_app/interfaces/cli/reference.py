"""`flask reference`: what the declarations say, as pages of the docs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import click
from flask.cli import with_appcontext

from cqrs_app import PROJECT, create_app
from cqrs_app.database import upgrade
from cqrs_app.environment import number_within
from cqrs_app.interfaces.metric_families import metric_families
from cqrs_app.platform.catalogue.entries import Entry, FieldEntry, entries
from cqrs_app.platform.catalogue.problems import KINDS
from cqrs_app.platform.runtime.metrics import described
from cqrs_app.services import kernel, services, services_of
from cqrs_app.settings import Settings
from cqrs_app.settings.fields import ALWAYS_ON, CHOICES

TITLES = {"command": "Commands", "query": "Queries", "event": "Events"}
FURTHER = ("problems", "settings", "metrics")
START = ("operating", "settings", "command-line", "tutorial", "extending", "areas", "architecture")
"""The pages that are listed first."""
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@with_appcontext
def reference(folder: Path) -> None:
    """Write the reference of every command, query, event, problem, setting and metric into FOLDER,
    as Markdown, with an index of the docs and llms.txt."""
    known = entries(kernel.registry)
    into = folder / "reference"
    into.mkdir(parents=True, exist_ok=True)
    for kind, title in TITLES.items():
        found = [each for each in known if each.kind == kind]
        (into / f"{title.lower()}.md").write_text("\n".join(_page(title, found)) + "\n")
    (into / "problems.md").write_text("\n".join(_problems()) + "\n")
    (into / "settings.md").write_text("\n".join(_settings()) + "\n")
    (into / "metrics.md").write_text("\n".join(_metrics()) + "\n")
    pages = _summaries()
    (folder / "index.md").write_text("\n".join(_index(pages)) + "\n")
    (folder / "llms.txt").write_text("\n".join(_for_models(pages)) + "\n")
    click.echo(f"{len(known)} messages and {len(pages)} pages are in {folder}.")


def _page(title: str, found: Iterable[Entry]) -> Iterator[str]:
    yield f"# {title}"
    area = ""
    for entry in found:
        if entry.area != area:
            area = entry.area
            yield f"\n## {area.replace('_', ' ').capitalize()}"
        yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[str]:
    yield f"\n### {entry.name}\n"
    if entry.summary:
        yield f"{_escaped(entry.summary)}\n"
    facts = [f"Permission `{entry.permission}`" if entry.permission else ""]
    facts += ["conflicts with what was changed meanwhile" if entry.minds_version else ""]
    facts += ["not easily undone" if entry.risky else ""]
    facts += [f"reads {', '.join(f'`{each}`' for each in entry.reads)}" if entry.reads else ""]
    facts += [f"schema {entry.version}" if entry.version > 1 else ""]
    if sentence := "; ".join(filter(None, facts)):
        yield f"{sentence[0].upper()}{sentence[1:]}.\n"
    yield from _fields(entry.fields)
    for part, fields in entry.parts.items():
        yield f"Fields of `{part}`:\n"
        yield from _fields(fields)
    if entry.refusals:
        yield "| refused with | because |\n|---|---|"
        yield from (f"| `{code}` | {_cell(why)} |" for code, why in entry.refusals.items())
        yield ""


def _fields(fields: Iterable[FieldEntry]) -> Iterator[str]:
    rows = [
        f"| `{each.name}` | {_cell(', '.join((each.type, *each.limits)))} | "
        f"{'' if each.needed else 'optional'} | {_cell(each.help)} |"
        for each in fields
    ]
    if rows:
        yield "| field | type | | |\n|---|---|---|---|"
        yield from rows
        yield ""


def _problems() -> Iterator[str]:
    yield "# Problems\n\nWhat the API can answer instead of what was asked.\n"
    yield "| kind | |\n|---|---|"
    yield from (f"| `{kind}` | {_cell(meaning)} |" for kind, meaning in KINDS.items())


def _settings() -> Iterator[str]:
    yield "# Values of settings\n\nWhat each is for is in [settings](../settings.md).\n"
    yield "| setting | values | default |\n|---|---|---|"
    hints = get_type_hints(Settings, include_extras=True)
    for name, field in Settings.__dataclass_fields__.items():
        default = default_in_words(field.default)
        yield f"| `{name.upper()}` | {_values_of(name, hints[name])} | {default} |"


def _metrics() -> Iterator[str]:
    yield "# Metrics\n\nWhen to worry is in [operating](../operating.md#health-and-metrics).\n"
    yield "| metric | type | labels | |\n|---|---|---|---|"
    with TemporaryDirectory() as folder:
        # Of a console with empty stores, which declares each.
        settings = Settings(data_dir=Path(folder), areas=services.settings.areas).resolved()
        upgrade(settings)
        console = services_of(create_app(settings, pages=False))
        try:
            found = described(console.kernel, metric_families(console.kernel.engines.write))
        finally:
            console.close()
            console.kernel.engines.dispose()
    for each in found:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        yield f"| `{each.name}` | {each.type} | {labels} | {_cell(each.text)} |"


def default_in_words(default: Any) -> str:
    """As docs/settings.md writes it."""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{default:g}`"
    return f"`{default}`" if default != "" else "empty"


def _values_of(name: str, kind: Any) -> str:
    if name in ALWAYS_ON:
        return "`true`"
    if kind is bool:
        return "`true` or `false`"
    if name in CHOICES:
        return ", ".join(f"`{each}`" if each else "empty" for each in CHOICES[name])
    if get_origin(kind) is Annotated:
        return number_within(*get_args(kind))
    return "a folder" if kind is Path else "text"


def _summaries() -> dict[str, tuple[str, str]]:
    """Page -> its title and its first sentence."""
    found = {}
    for path in sorted((PROJECT / "docs").glob("*.md")):
        title, *paragraphs = path.read_text().split("\n\n")
        plain = _LINK.sub(r"\1", " ".join(paragraphs[0].split())) if paragraphs else ""
        found[path.stem] = (title.removeprefix("# ").strip(), plain.partition(". ")[0] + ".")
    return found


def _index(pages: Iterable[str]) -> Iterator[str]:
    yield "# Countersign\n\nA console where a team works its orders, action by action.\n"
    ordered = [*START, *(name for name in pages if name not in START)]
    yield from _toctree("Guides", ordered)
    messages = [f"reference/{title.lower()}" for title in TITLES.values()]
    yield from _toctree(
        "Reference",
        [*messages, "reference/problems", "reference/settings", "reference/metrics", "kernel"],
    )
    for folder in ("security", "decisions"):
        found = sorted((PROJECT / "docs" / folder).glob("*.md"))
        yield from _toctree(folder.capitalize(), [f"{folder}/{each.stem}" for each in found])


def _toctree(caption: str, pages: list[str]) -> Iterator[str]:
    yield f"```{{toctree}}\n:caption: {caption}\n:maxdepth: 1\n"
    yield from pages
    yield "```\n"


def _for_models(pages: dict[str, tuple[str, str]]) -> Iterator[str]:
    """See https://llmstxt.org."""
    yield "# Countersign\n"
    yield "> An operations console on CQRS and event sourcing: Flask, SQLAlchemy, RQ, htmx.\n"
    yield "## Docs\n"
    yield from (f"- [{title}]({name}.html): {line}" for name, (title, line) in pages.items())
    yield "\n## Reference\n"
    titles = (*TITLES.values(), *map(str.capitalize, FURTHER))
    yield from (f"- [{title}](reference/{title.lower()}.html)" for title in titles)


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", "\\*")


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", "\\|")
