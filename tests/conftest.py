"""Fixtures for every test. The real services come from tests/services."""

import gc
import os
import sys

from hypothesis import settings

from tests.services.swift import swift_place

# Hundreds of processes are started here; without bytecode files each would compile the product.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# What is imported and collected stays; looking for garbage in it takes a third of collecting it.
gc.disable()

# The files of a test are in memory: on a disk each commit of an SQLite store waits for it.
if place := swift_place():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(place))

# Generate the same examples in every run, so that finding a fault does not depend on chance.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

pytest_plugins = (
    "tests.at_once",
    "tests.fast",
    "tests.services.obtainable",
    "tests.services.passwords",
    "tests.services.postgres",
    "tests.services.own_postgres",
    "tests.services.faults",
    "tests.services.pgbouncer",
    "tests.services.redis_server",
    "tests.services.stores",
    "tests.services.applications",
    "tests.services.browser",
    "tests.console",
)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    # Consoles come and go; a hundred collections per test are too many.
    gc.set_threshold(20_000)
    gc.enable()
