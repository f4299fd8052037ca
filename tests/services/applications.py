"""What all applications have in common, made once per test process: compiled templates and
statements, the functions that build the URLs of routes, handlers, types of answers and the static
files."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from pathlib import Path
from types import CodeType, MethodType
from typing import Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from cqrs_app.interfaces.web import static_files
from cqrs_app.kernel import registry
from cqrs_app.kernel.queries import bus as query_bus

STATIC = Path(__file__).parents[2] / "static"


class Compiled(BytecodeCache):
    """Keeps code in memory, per source and options of the environment."""

    def __init__(self) -> None:
        self._codes: dict[Hashable, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get(_source_of(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._codes[_source_of(bucket)] = bucket.code


def _source_of(bucket: Bucket) -> Hashable:
    environment = bucket.environment
    options = (environment.trim_blocks, environment.lstrip_blocks)
    return (bucket.key, bucket.checksum, options)


class CompiledStatements(LRUCache[Any, Any]):
    """Keeps statements per kind of database, whichever engine compiled them. The first part of a
    key is the engine's dialect, which differs for every engine."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_kind_of(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_kind_of(key), value)


def _kind_of(key: Any) -> Any:
    dialect, *rest = key
    return (type(dialect), dialect.server_version_info, *rest)


SHARED = CompiledStatements(10_000)


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> None:
    """To compile them was most of what a test of a page did."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}


@pytest.fixture(scope="session", autouse=True)
def compiled_routes() -> None:
    """To compile them was half of what it takes to compose an application."""
    compile_rule = Rule.compile
    made: dict[Hashable, Rule] = {}

    def compiled(rule: Rule) -> None:
        converters = tuple(rule.map.converters.values())
        place = (rule.rule, rule.merge_slashes, rule.subdomain, rule.host, converters)
        first = made.get(place)
        if rule.defaults or first is None:
            compile_rule(rule)
            if not rule.defaults:
                made[place] = rule
            return
        for name in ("_parts", "_trace", "_converters"):
            setattr(rule, name, getattr(first, name))
        rule.arguments.update(first.arguments)
        for name in ("_build", "_build_unknown"):
            setattr(rule, name, MethodType(getattr(first, name).__func__, rule))

    Rule.compile = compiled  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> None:
    """Every console has engines of its own, for which each statement would be compiled again."""
    Engine._compiled_cache = property(  # type: ignore[assignment]
        lambda engine: SHARED, lambda engine, own: None
    )


@pytest.fixture(scope="session", autouse=True)
def answer_types() -> None:
    """To read them off the annotations of the handlers was a sixth of composing. Those of a
    function that is made anew are the same."""
    read = query_bus.get_type_hints
    known: dict[Hashable, dict[str, Any]] = {}

    def hints(handler: Any) -> dict[str, Any]:
        code = getattr(handler, "__code__", None)
        if code is None:
            return read(handler)
        # A test may name a class of its own, which is another one each time.
        made = (code, handler.__annotations__.get("return"))
        if made not in known:
            known[made] = read(handler)
        return known[made]

    query_bus.get_type_hints = hints


@pytest.fixture(scope="session", autouse=True)
def handlers() -> None:
    """Those of an aggregate are found among all of its attributes."""
    registry.handlers_of = cache(registry.handlers_of)  # type: ignore[assignment]


@pytest.fixture(scope="session", autouse=True)
def static_content() -> None:
    """The product's own files are read once; those of a test, each time."""
    for name in ("version_of", "style_sheet"):
        read = getattr(static_files, name)
        setattr(static_files, name, _once_in(STATIC, read))


def _once_in(folder: Path, read: Callable[[Path], str]) -> Callable[[Path], str]:
    once = cache(read)
    return lambda path: (once if path.is_relative_to(folder) else read)(path)
