"""What all applications have in common, made once per test process: compiled templates of the
pages, and the functions that build the URLs of routes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from types import CodeType
from typing import Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


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


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> None:
    """To compile them was most of what a test of a page did."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}


@pytest.fixture(scope="session", autouse=True)
def compiled_routes() -> None:
    """To compile them was half of what it takes to compose an application."""
    compile_builder = Rule._compile_builder
    made: dict[Hashable, Callable[..., tuple[str, str]]] = {}

    def builder(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        parts = (rule.rule, tuple(rule._trace), append_unknown)
        if parts not in made:
            made[parts] = compile_builder(rule, append_unknown)
        return made[parts]

    Rule._compile_builder = builder  # type: ignore[method-assign]
