"""`flask projections snapshot` and `restore` on every read model of the product."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from cqrs_app.areas.orders.commands import AddOrderNote
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.projections.digests import stored_pages
from cqrs_app.services import services_of
from tests.console import MakeConsole
from tests.interfaces.web.pages.conftest import catch_up, order_in
from tests.services.stores import Templates, migrate

Tables = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def shop(make_shop: MakeConsole) -> Flask:
    return make_shop()


def run(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=[*map(str, words)])


def rows_of(app: Flask) -> Tables:
    kernel: Kernel = services_of(app).kernel
    found: Tables = {}
    with kernel.engines.read.begin() as connection:
        for projection in kernel.registry.projections.values():
            for table in projection.tables:
                pages = stored_pages(connection, table)
                found[table.name] = sorted((row for page in pages for row in page), key=repr)
    return found


def test_a_new_host_starts_from_the_snapshots_of_another(
    shop: Flask, kind: str, templates: Templates, tmp_path: Path, make_shop: MakeConsole
) -> None:
    taken = run(shop, "projections", "snapshot", "--all", "--to", tmp_path / "files")
    assert taken.exit_code == 0, taken.output
    files = sorted((tmp_path / "files").iterdir())
    kernel: Kernel = services_of(shop).kernel
    assert len(files) == len(kernel.registry.projections)

    note = AddOrderNote(order_id=order_in(shop, "placed"), note="Call before delivery.")
    kernel.commands.execute(note, Context(actor=Actor("ben", ROLES["admin"]), channel="test"))
    catch_up(shop)
    with templates.copy(kind, migrate, tmp_path / "host") as host:
        other = make_shop(read_database_url=host.read_url)
        assert not any(rows_of(other).values())
        restored = run(other, "projections", "restore", *files)
        assert restored.exit_code == 0, restored.output
        assert rows_of(other) == rows_of(shop)
        compared = run(other, "reconcile", "--events")
        assert compared.exit_code == 0, compared.output


@pytest.mark.parametrize("words", [(), ("nothing",)])
def test_a_snapshot_names_a_projection(shop: Flask, words: tuple[str, ...]) -> None:
    assert run(shop, "projections", "snapshot", *words).exit_code == 2


def test_a_file_that_is_no_snapshot_is_one_sentence_and_status_1(
    shop: Flask, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("nothing of the kind")
    result = run(shop, "projections", "restore", file)
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {file} cannot be used: it is damaged, or no snapshot. Nothing was changed.\n",
    )


def test_a_folder_that_cannot_be_written_is_one_sentence_and_status_1(
    shop: Flask, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    result = run(shop, "projections", "snapshot", "orders", "--to", tmp_path / "file" / "below")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path}")
