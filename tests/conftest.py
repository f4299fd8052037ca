"""Fixtures for every test. The real services come from tests/services."""

import os
import sys

from hypothesis import settings

# Hundreds of processes are started here; without bytecode files each would compile the product.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Generate the same examples in every run, so that finding a fault does not depend on chance.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

pytest_plugins = (
    "tests.fast",
    "tests.services.obtainable",
    "tests.services.passwords",
    "tests.services.postgres",
    "tests.services.own_postgres",
    "tests.services.pgbouncer",
    "tests.services.redis_server",
    "tests.services.stores",
    "tests.services.applications",
    "tests.services.browser",
    "tests.console",
)
