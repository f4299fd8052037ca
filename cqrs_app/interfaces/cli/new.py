"""`flask new area`: a package with an area that works, to be changed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from string import Template

import click

from cqrs_app import PROJECT

SKELETON = Path(__file__).parent / "skeleton"
FILES = {
    "pyproject.toml": "pyproject.toml",
    "{area}/__init__.py": "init.py",
    "{area}/messages.py": "messages.py",
    "{area}/events.py": "events.py",
    "{area}/{one}.py": "aggregate.py",
    "{area}/read_model.py": "read_model.py",
    "{area}/migrations/read/0001_{area}.py": "migration.py",
    "{area}/contracts/{camel}Opened.1.json": "opened.json",
    "{area}/contracts/{camel}Closed.1.json": "closed.json",
    "tests/test_{one}.py": "test.py",
}
"""The path of each file, and the template that it is made from."""
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@click.group("new")
def new() -> None:
    """Write the beginning of something."""


@new.command()
@click.argument("name")
@click.option("--one", help="The noun for one of them, unless it is NAME without its last s.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the package, unless it is NAME here.",
)
def area(name: str, one: str | None, into: Path | None) -> None:
    """Write a package with an area called NAME, such as purchase_requests.

    It has two commands, their rules, a list, a page of one thing, and tests.
    """
    one = one or name.removesuffix("s")
    for each in (name, one):
        if not NAME.fullmatch(each):
            raise click.UsageError(
                f"{each!r} cannot be a name. Write small letters and digits, words with an "
                "underscore between them, such as purchase_requests."
            )
    if one == name:
        raise click.UsageError(f"Say what one of {name} is called: --one NOUN.")
    folder = into or Path(name)
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty. Nothing was written.")
    for path, template in FILES.items():
        file = folder / path.format(area=name, one=one, camel=_camel(one))
        file.parent.mkdir(parents=True, exist_ok=True)
        text = Template((SKELETON / f"{template}.txt").read_text())
        file.write_text(text.substitute(_words(name, one)))
    _format(folder)
    click.echo(f"{folder} has an area called {name}. Next:")
    click.echo(f"  .venv/bin/pip install --editable {folder}")
    click.echo("  .venv/bin/flask db upgrade")
    click.echo(f"  bin/run, and open /{_path(name)}")


def _format(folder: Path) -> None:
    """Break the lines that the names have made too long, where the tools of development are."""
    ruff = Path(sys.executable).with_name("ruff")
    if ruff.exists():
        for verb in (["check", "--select", "I", "--fix"], ["format"]):
            subprocess.run(
                [ruff, *verb, "--quiet", "--config", PROJECT / "pyproject.toml", folder], check=True
            )


def _words(name: str, one: str) -> dict[str, str]:
    phrase, words = name.replace("_", " "), one.replace("_", " ")
    return {
        "area": name,
        "AREA": name.upper(),
        "one": one,
        "One": _camel(one),
        "Many": _camel(name),
        "path": _path(name),
        "phrase": phrase,
        "Title": phrase.capitalize(),
        "words": words,
        "Words": words.capitalize(),
    }


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _path(name: str) -> str:
    return name.replace("_", "-")
