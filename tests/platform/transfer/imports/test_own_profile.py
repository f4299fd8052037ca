"""A profile of one's own, exactly as docs/imports.md shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.platform.transfer.imports.canonical import document_of
from cqrs_app.platform.transfer.imports.documents import Profile
from cqrs_app.platform.transfer.imports.lines import LineFile
from cqrs_app.platform.transfer.imports.profiles import PROFILES, NoProfile, profile_of
from cqrs_app.services import services_of
from tests.platform.transfer.imports.reading import read_by
from tests.platform.transfer.imports.test_online_retail import PROJECT

GUIDE = (PROJECT / "docs" / "imports.md").read_text(encoding="utf-8")


def shown(language: str) -> str:
    """The guide's only piece in this language."""
    [piece] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(piece)


def test_the_profile_of_the_guide_reads_the_file_of_the_guide(
    console: Flask, tmp_path: Path
) -> None:
    (tmp_path / "my_shop.py").write_text(shown("python"))
    (tmp_path / "orders.csv").write_text(shown("csv"))
    out = tmp_path / "out.json"
    arguments = ["import", str(tmp_path / "orders.csv"), "--report", str(out)]
    arguments += ["--profile", str(tmp_path / "my_shop.py")]
    result = console.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert (report["rows"], report["set_aside_by_reason"]) == (3, {"gift_card": 1})
    assert (report["gross"], report["orders_by_status"]) == ("33.200", {"placed": 1, "shipped": 1})
    # The shop has no approvals, so that a shipment without one is nothing to look at.
    assert report["flags_by_code"] == {}
    kernel: Kernel = services_of(console).kernel
    placed, shipped = kernel.store.events_of("order-7001")
    assert json.loads(placed.payload)["lines"][0]["description"] == "Blue Mug"
    # Berlin is an hour before UTC in winter.
    assert placed.occurred_at.isoformat() == "2026-03-01T08:30:00+00:00"
    assert shipped.occurred_at.isoformat() == "2026-03-02T07:00:00+00:00"


def test_the_mapping_of_the_guide_can_be_used(tmp_path: Path) -> None:
    path = tmp_path / "my_shop.toml"
    path.write_text(shown("toml"))
    assert profile_of(str(path)).name == "my_shop"


def test_a_function_that_stumbles_over_a_row_cut_off_stops_nothing(tmp_path: Path) -> None:
    columns = dict.fromkeys(("at", "country", "currency", "sku", "quantity", "unit_price"), "b")
    file = LineFile(
        header=("a", "b"), columns=columns | {"number": lambda row: row["a"].split()[1]}
    )
    path = tmp_path / "some.csv"
    path.write_text("a,b\n7\n")
    profile = Profile(name="own", read=file.read, commands=())
    assert [each.reason for each in read_by(profile)(path).set_aside] == ["unreadable"]


def test_the_document_of_the_guide_can_be_read() -> None:
    document = document_of(json.loads(shown("json")), ())
    assert (document.key, len(document.steps)) == ("S-1", 10)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_in_the_guide(name: str) -> None:
    assert f"## Profile `{name}`" in GUIDE


def test_what_is_no_profile_gets_one_sentence(console: Flask, tmp_path: Path) -> None:
    empty = tmp_path / "empty.py"
    empty.write_text("")
    for name in ("unheard-of", str(tmp_path / "none.py"), str(empty)):
        with pytest.raises(NoProfile, match=r"Nothing was imported\.$"):
            profile_of(name)
    result = console.test_cli_runner().invoke(args=["import", "x.csv", "--profile", "unheard-of"])
    assert result.exit_code == 2
    assert "There is no profile unheard-of." in result.output
