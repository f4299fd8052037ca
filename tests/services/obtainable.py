"""Skips tests for services that this machine lacks, with a line that says how to get them.

In continuous integration, or with COUNTERSIGN_REQUIRE_ALL=1, such a skip fails the run.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

MARK = "Not on this machine: "


def unobtainable(what: str, how_to_get_it: str) -> NoReturn:
    """Skip the test that needs `what`."""
    pytest.skip(f"{MARK}{what}. {how_to_get_it}")


def everything_is_required() -> bool:
    return any(
        os.environ.get(name, "").lower() not in ("", "0", "false")
        for name in ("CI", "COUNTERSIGN_REQUIRE_ALL")
    )


class SkipCounter:
    """Collects the reasons from every process of a parallel run."""

    def __init__(self) -> None:
        self.reasons: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            if reason.startswith(MARK):
                self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.reasons and everything_is_required() and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.reasons:
            return
        terminalreporter.section("left out")
        for reason, count in sorted(self.reasons.items()):
            terminalreporter.line(f"{count} x {reason}")
        if everything_is_required():
            terminalreporter.line("Everything is required here, so the run has failed.", red=True)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the process that sees the reports of all others
        config.pluginmanager.register(SkipCounter())
