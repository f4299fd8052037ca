"""`flask export`: the lists by friendly names, whole files or none."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from cqrs_app.platform.transfer.exports import rows
from cqrs_app.services import services_of
from tests.platform.transfer.exports.conftest import fill


def test_every_list_has_a_command_that_names_its_filters(console: Flask) -> None:
    run = console.test_cli_runner()
    listed = run.invoke(args=["export", "--help"]).stdout
    assert all(name in listed for name in ("orders", "customers", "commands"))
    assert "placed_from" in run.invoke(args=["export", "orders", "--help"]).stdout


def test_to_the_standard_output_goes_the_list_and_nothing_else(console: Flask) -> None:
    fill(console, 700)
    result = console.test_cli_runner().invoke(
        args=["export", "orders", "--format", "jsonl", "--filter", "status=shipped"]
    )
    assert result.exit_code == 0
    assert result.stderr == ""
    assert len([json.loads(line) for line in result.stdout.splitlines()]) == 350


def test_into_a_file_with_several_filters_and_an_order(console: Flask, tmp_path: Path) -> None:
    fill(console, 50)
    out = tmp_path / "orders.csv"
    out.write_text("an older export")
    arguments = ["export", "orders", "--out", str(out)]
    for each in ("status=placed", "status=shipped", "sort=order_id", "descending=0"):
        arguments += ["--filter", each]
    result = console.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0
    assert (result.stdout, "50 rows of orders" in result.stderr) == ("", True)
    with out.open(newline="", encoding="utf-8") as file:
        found = [row["order_id"] for row in csv.DictReader(file)]
    assert found == sorted(f"T{number}" for number in range(1, 51))
    assert [each.name for each in tmp_path.glob("*orders.csv*")] == ["orders.csv"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("nonsense=1", "There is no such filter. There are: q, stage, status,"),
        ("status=nonsense", "Choose one from the list."),
        ("placed_from=soon", "Enter a date"),
        ("status", "write NAME=VALUE"),
    ],
)
def test_a_filter_that_cannot_be_used_gets_a_sentence_and_status_2(
    console: Flask, tmp_path: Path, given: str, sentence: str
) -> None:
    out = tmp_path / "orders.csv"
    result = console.test_cli_runner().invoke(
        args=["export", "orders", "--out", str(out), "--filter", given]
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in " ".join(result.stderr.split())
    assert not out.exists()


def test_a_database_that_goes_away_in_the_middle_leaves_the_old_file(
    console: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(console, 1_200)
    out = tmp_path / "orders.csv"
    out.write_text("the last good one")
    engine = services_of(console).kernel.engines.read
    walk = rows._from

    def broken(*arguments: object) -> object:
        portions = walk(*arguments)  # type: ignore[arg-type]
        yield next(portions)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE orders RENAME TO orders_gone"))
        yield from portions

    monkeypatch.setattr(rows, "_from", broken)
    result = console.test_cli_runner().invoke(args=["export", "orders", "--out", str(out)])
    assert result.exit_code == 1
    assert "was not touched" in result.stderr
    assert out.read_text() == "the last good one"
    assert [each.name for each in tmp_path.glob("*orders.csv*")] == ["orders.csv"]


def test_with_the_rights_of_an_operator_who_lacks_one_nothing_is_written(
    console: Flask, tmp_path: Path
) -> None:
    services_of(console).accounts.create("mia", "operator", "seven brown herons")
    out = tmp_path / "orders.csv"
    run = console.test_cli_runner()
    for name, sentence in (("mia", "exports.run"), ("nobody", "There is no operator")):
        result = run.invoke(args=["export", "orders", "--out", str(out), "--as", name])
        assert result.exit_code == 1
        assert sentence in result.stderr
    assert not out.exists()


def test_a_folder_that_is_not_there_gets_a_sentence(console: Flask, tmp_path: Path) -> None:
    out = tmp_path / "none" / "orders.csv"
    result = console.test_cli_runner().invoke(args=["export", "orders", "--out", str(out)])
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr
