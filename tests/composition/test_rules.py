"""What the parts of a console are given of its settings."""

from __future__ import annotations

from cqrs_app.composition.rules import command_options, query_options
from cqrs_app.settings import Settings


def test_each_limit_of_queries_is_the_setting_of_its_name() -> None:
    options = query_options(
        Settings.from_environment(
            {
                "MAX_CONCURRENT_QUERIES": "11",
                "MAX_WAITING_QUERIES": "7",
                "QUERY_TIMEOUT": "3",
                "QUERY_LOG_SHARE": "0.5",
                "WRITE_THROUGH_SECONDS": "2",
            }
        )
    )
    assert (options.max_concurrent, options.max_waiting) == (11, 7)
    assert (options.timeout, options.log_share, options.write_through) == (3, 0.5, 2)


def test_each_limit_of_commands_is_the_setting_of_its_name() -> None:
    options = command_options(
        Settings.from_environment(
            {
                "MAX_CONCURRENT_COMMANDS": "11",
                "COMMAND_TIMEOUT": "3",
                "COMMAND_RETRY_ATTEMPTS": "7",
            }
        )
    )
    assert (options.max_concurrent, options.timeout, options.retry_attempts) == (11, 3, 7)
