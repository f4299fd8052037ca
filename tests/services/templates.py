"""Templates of the pages, compiled once per test process and not once per application."""

from __future__ import annotations

from collections.abc import Hashable
from types import CodeType

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


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
