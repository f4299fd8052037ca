"""The check that no page loads anything from another origin."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.processes.running import PROJECT


@pytest.fixture(scope="module")
def origins() -> ModuleType:
    spec = importlib.util.spec_from_file_location("origins", PROJECT / "bin" / "origins.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script src="https://cdn.example/x.js"></script>'),
        ("a.html", '<img alt="" src=//cdn.example/x.png>'),
        ("a.html", '<link rel="stylesheet"\n href="http://cdn.example/x.css">'),
        ("a.html", '<button hx-post="https://example/x">'),
        ("a.html", "<style>@import 'https://cdn.example/x.css'</style>"),
        ("a.css", "a { background: url( 'https://cdn.example/x.png' ) }"),
        ("a.css", "@import url(//cdn.example/x.css);"),
        ("a.js", "fetch('https://example/x')"),
        ("a.js", "import x from 'https://cdn.example/x.js'"),
        ("a.js", "new EventSource(`//example/x`)"),
        ("a.svg", '<image href="https://example/x.png"/>'),
    ],
)
def test_a_load_from_elsewhere_is_found(origins: ModuleType, name: str, text: str) -> None:
    assert list(origins.loads_from_elsewhere(Path(name), text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script src="/static/x.js"></script>'),
        ("a.html", '<a href="https://example/manual">Manual</a>'),
        ("a.html", "{# <script src='https://example/x.js'> #}"),
        ("a.css", "/* url(https://example/licence) */ a { background: url(x.png) }"),
        ("a.js", "// see https://example/licence"),
        ("a.svg", '<svg xmlns="http://www.w3.org/2000/svg"><use href="#x"/></svg>'),
    ],
)
def test_what_loads_nothing_is_left_alone(origins: ModuleType, name: str, text: str) -> None:
    assert not list(origins.loads_from_elsewhere(Path(name), text))
