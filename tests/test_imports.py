"""No module of the product imports itself through others.

Imports for the type checker and inside functions count too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from cqrs_app.installed_areas import build_registry
from tests.processes.running import PROJECT

Graph = dict[str, set[str]]

COMPOSES_WHEN_CALLED = ("cqrs_app", "cqrs_app.composition")
"""create_app is at the top of the package and imports the composition when it is called."""


def modules_in(root: Path, package: str) -> dict[str, Path]:
    """Name -> file; a package's name is that of its __init__."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    """`from package import name` means the module of that name, else the package's __init__."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in modules else node.module


def graph_of(root: Path, package: str) -> Graph:
    modules = modules_in(root, package)
    graph = {name: set(imports_of(path, modules)) - {name} for name, path in modules.items()}
    importer, imported = COMPOSES_WHEN_CALLED
    graph.get(importer, set()).discard(imported)
    return graph


def circle_in(graph: Graph) -> list[str]:
    """One circle, each module imported by the next; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_nothing_imports_itself() -> None:
    for package in ("cqrs_app", "bench"):
        graph = graph_of(PROJECT, package)
        assert len(graph) > 30
        assert circle_in(graph) == []


def test_chapters_of_the_kernel_have_no_circle() -> None:
    chapters: Graph = {}
    for name, imported in graph_of(PROJECT, "cqrs_app").items():
        chapter = _chapter(name)
        if chapter:
            others = {_chapter(each) for each in imported} - {chapter, ""}
            chapters.setdefault(chapter, set()).update(others)
    assert {"commands", "events", "messages", "projections", "queries"} <= chapters.keys()
    assert circle_in(chapters) == []


def _chapter(module: str) -> str:
    """A folder of the kernel or a module beside them; empty outside of the kernel."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["cqrs_app", "kernel"] and len(parts) > 2 else ""


def test_a_circle_is_found_also_when_only_the_type_checker_sees_it(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "rules.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.order import Order\n"
    )
    (package / "order.py").write_text("from shop import rules\n")
    (package / "page.py").write_text("from shop.order import Order\n")
    assert circle_in(graph_of(tmp_path, "shop")) in (
        ["shop.order", "shop.rules", "shop.order"],
        ["shop.rules", "shop.order", "shop.rules"],
    )


PURE = ("evolve", "decide", "process", "stages", "state")
"""What modules that decide are called, beside those that define an aggregate."""
OUTSIDE = {"sqlalchemy", "flask", "redis", "rq", "socket", "time", "random", "os"}


def test_what_decides_does_no_io() -> None:
    modules = modules_in(PROJECT, "cqrs_app")
    deciding = {each.__module__ for each in build_registry().aggregates.values()}
    deciding |= {
        name
        for name in modules
        if name.startswith("cqrs_app.areas.") and name.rpartition(".")[2] in PURE
    }
    assert len(deciding) > 8
    found = {name: top_levels_of(modules[name]) & OUTSIDE for name in deciding}
    assert {name: outside for name, outside in found.items() if outside} == {}


def top_levels_of(path: Path) -> set[str]:
    """The packages that a module imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found
