"""Fixtures for every test. The real services come from tests/services."""

from hypothesis import settings

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
    "tests.services.templates",
    "tests.services.browser",
    "tests.console",
)
