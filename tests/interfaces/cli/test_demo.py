"""`flask demo remove` puts the demo shop aside, and nothing else. What is killed in between is
undone or finished."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask

from cqrs_app import create_app
from cqrs_app.areas.orders.commands import AddOrderNote
from cqrs_app.installed_areas import build_registry
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.demo.shop import order_number
from cqrs_app.processes import demo_removal
from cqrs_app.processes.preflight import CannotStart, claim_data_folder
from cqrs_app.services import services_of
from tests.areas.orders.given import line, place
from tests.console import MakeConsole, close

ANA = Actor("ana", frozenset(map(str, build_registry().permissions())))
PRACTICE = AddOrderNote(order_id=order_number(0), note="Ring first.")


def removed(app: Flask, typed: str = "y") -> str:
    result = app.test_cli_runner().invoke(args=["demo", "remove"], input=typed)
    assert (result.exit_code == 0) is ("The next start is empty" in result.output)
    return result.output


def did(app: Flask, command: Command) -> None:
    services_of(app).kernel.commands.execute(command, Context(actor=ANA, channel="form"))


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_people_did_with_it_goes_with_it_and_all_of_it_is_kept(make_shop: MakeConsole) -> None:
    app = make_shop()
    did(app, PRACTICE)
    settings, head = services_of(app).settings, services_of(app).kernel.store.head()
    folder = settings.data_dir
    assert "The demo shop is in" in removed(app)
    [aside] = folder.glob("demo-*")
    assert {each.name for each in folder.iterdir()} == {"lock", "demo_removed", aside.name}
    assert dataclasses.replace(settings, demo_orders=240).resolved().demo_orders == 0
    again = dataclasses.replace(
        settings,
        data_dir=aside,
        database_url=settings.database_url.replace(str(folder), str(aside)),
        read_database_url=settings.read_database_url.replace(str(folder), str(aside)),
        query_database_url=settings.query_database_url.replace(str(folder), str(aside)),
    )
    kept = create_app(again, pages=False)
    assert services_of(kept).kernel.store.head() == head
    close(kept)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_it_stays_where_somebody_changes_their_mind_or_it_runs(make_shop: MakeConsole) -> None:
    app = make_shop()
    folder = services_of(app).settings.data_dir
    assert "Aborted" in removed(app, "n")
    with claim_data_folder(folder):
        assert "Another copy already runs" in removed(app)
    assert (folder / "lock").exists()
    assert "The demo shop is in" in removed(app)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_is_killed_in_between_is_undone_or_finished(make_shop: MakeConsole) -> None:
    app = make_shop()
    settings, said = services_of(app).settings, list[str]()
    folder = settings.data_dir
    files = {each.name for each in folder.iterdir()} - {"lock"}
    demo_removal.ask(folder)
    (folder / demo_removal.BEGUN).write_text("demo-1")
    (folder / "demo-1").mkdir()
    (folder / "read.sqlite3").rename(folder / "demo-1" / "read.sqlite3")
    (folder / "read.sqlite3").write_text("made since")
    with pytest.raises(CannotStart, match=r"half removed, and \S+/read.sqlite3 was made since"):
        demo_removal.finish(folder)
    assert (folder / "read.sqlite3").read_text() == "made since"
    (folder / "read.sqlite3").unlink()
    assert demo_removal.finish(folder) == folder / "demo-1"
    assert {each.name for each in (folder / "demo-1").iterdir()} == files | {demo_removal.ASKED}
    assert not demo_removal.is_asked(folder)
    assert demo_removal.carry_out(settings, said.append).demo_orders == 0
    assert said == []


def test_a_store_with_something_else_in_it_is_left_alone(make_shop: MakeConsole) -> None:
    app = make_shop()
    head = services_of(app).kernel.store.head()
    did(app, place("OWN-1", line()))
    assert "that it did not make, such as order-OWN-1." in removed(app)
    settings, said = services_of(app).settings, list[str]()
    demo_removal.ask(settings.data_dir)
    demo_removal.carry_out(settings, said.append)
    assert ["The demo shop stays. There is more here" in line for line in said] == [True]
    assert not demo_removal.is_asked(settings.data_dir)
    assert services_of(app).kernel.store.head() > head


def test_a_store_without_a_demo_shop_is_left_alone(console: Flask) -> None:
    assert "There is no demo shop here. Nothing was changed." in removed(console)


@pytest.mark.parametrize("kind", ["postgresql"])
def test_on_postgresql_it_says_what_to_do_instead(make_shop: MakeConsole) -> None:
    app = make_shop()
    did(app, PRACTICE)
    assert "name empty databases in DATABASE_URL" in removed(app)
    assert services_of(app).settings.data_dir.exists()
