"""What every test can ask for. The real services come from tests/services."""

pytest_plugins = (
    "tests.fast",
    "tests.services.obtainable",
    "tests.services.passwords",
    "tests.services.postgres",
    "tests.services.redis_server",
    "tests.services.stores",
    "tests.services.browser",
    "tests.console",
)
