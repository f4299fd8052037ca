"""The API of plug-in areas changes only with its number."""

from __future__ import annotations

import inspect
import json
import os
from enum import Enum
from pathlib import Path
from typing import Any

from cqrs_app import kernel, plugins

RECORDED = Path(__file__).with_name(f"api-{plugins.API}.json")
WRITE = "WRITE_API"


def parameters(thing: Any) -> str:
    """The names of the parameters; those that may be left out end in "=". The members of an
    enumeration. "" for a name of a type, which some Pythons find a signature for."""
    if inspect.isclass(thing) and issubclass(thing, Enum):
        return ", ".join(each.name for each in thing)
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return ""
    try:
        found = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return ""
    return ", ".join(
        ("*" if each.kind is each.KEYWORD_ONLY else "")
        + each.name
        + ("" if each.default is each.empty else "=")
        for each in found
    )


def methods(thing: Any) -> dict[str, str]:
    if not inspect.isclass(thing) or not thing.__module__.startswith("cqrs_app"):
        return {}
    return {
        name: parameters(each)
        for name, each in inspect.getmembers(thing, inspect.isroutine)
        if not name.startswith("_") and str(getattr(each, "__module__", "")).startswith("cqrs_app")
    }


def described() -> dict[str, Any]:
    return {
        f"{module.__name__}.{name}": [parameters(thing), methods(thing)]
        for module in (kernel, plugins)
        for name, thing in ((name, getattr(module, name)) for name in sorted(module.__all__))
    }


def test_what_areas_use_is_still_there_as_it_was() -> None:
    now = described()
    if os.environ.get(WRITE):
        RECORDED.write_text(json.dumps(now, indent=1) + "\n")
    recorded = json.loads(RECORDED.read_text())
    changed = [name for name, each in recorded.items() if now.get(name) != each]
    assert not changed, (
        f"Areas that use {', '.join(changed)} would have to be changed. Keep it, or count "
        "plugins.API up and say in the changelog what to change."
    )
    added = sorted(set(now) - set(recorded))
    assert not added, f"Run this test with {WRITE}=1 to record {', '.join(added)}."
