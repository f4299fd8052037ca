"""What every test can ask for. The real services come from tests/services."""

from hypothesis import settings

# What is generated is the same in every run: a fault is not found or missed by luck.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

pytest_plugins = (
    "tests.fast",
    "tests.services.obtainable",
    "tests.services.passwords",
    "tests.services.postgres",
    "tests.services.pgbouncer",
    "tests.services.redis_server",
    "tests.services.stores",
    "tests.services.templates",
    "tests.services.browser",
    "tests.console",
)
