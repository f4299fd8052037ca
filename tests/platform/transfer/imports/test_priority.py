"""An import gives way to pages."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from cqrs_app.platform.transfer.imports import priority
from cqrs_app.platform.transfer.imports.priority import LOWER_BY, lower_priority
from tests.platform.transfer.imports.test_reasons import GOOD, HEAD, written


def now() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The priorities that were set, instead of setting them."""
    found: list[int] = []
    monkeypatch.setattr(priority.os, "setpriority", lambda _, who, nice: found.append(nice))
    return found


def test_only_the_block_and_its_thread_have_the_lower_priority() -> None:
    before = now()

    def inside() -> int:
        with lower_priority():
            return now()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(inside).result() == min(before + LOWER_BY, 19)
    assert now() == before


def test_without_the_privilege_to_go_back_the_priority_stays(
    changes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(which: int, who: int, nice: int) -> None:
        if nice == before:
            raise PermissionError
        changes.append(nice)

    before = now()
    monkeypatch.setattr(priority.os, "setpriority", refuse)
    with lower_priority():
        pass
    assert changes == [min(before + LOWER_BY, 19)]


@pytest.mark.parametrize("options", [[], ["--dry-run"]], ids=["import", "dry run"])
def test_an_import_from_the_command_line_has_the_lower_priority(
    console: Flask, tmp_path: Path, changes: list[int], options: list[str]
) -> None:
    path = written(tmp_path / "day.csv", HEAD, GOOD)
    arguments = ["import", str(path), "--profile", "online-retail", *options]
    result = console.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    assert changes == [min(now() + LOWER_BY, 19), now()]
