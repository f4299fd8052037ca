"""What is wrong with how an area is declared is said at the start, before anything is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from cqrs_app.areas.desk.entries.entry import Entry
from cqrs_app.areas.desk.projections.timeline import OrderTimelineProjection
from cqrs_app.areas.desk.read_models import order_timeline
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.expenses import EXPENSES
from cqrs_app.areas.expenses.claim import ExpenseClaim
from cqrs_app.areas.expenses.queries.lists import ListExpenseClaims
from cqrs_app.areas.expenses.words import ExpenseStatus
from cqrs_app.environment import SettingsError
from cqrs_app.interfaces.web.areas.records import RecordPages
from cqrs_app.kernel import Area, Event, event
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.testing import History, fold
from cqrs_app.plugins import Pages, Plugin, found, found_in, problems_of, shared_names
from cqrs_app.services import services_of
from tests.plugins.empty_area import PLUGIN

SOURCE = "tests.plugins.empty_area"
CLAIMS = Pages(aggregate=ExpenseClaim, path="claims", list=ListExpenseClaims)


def plugin(name: str = "claims", *pages: Pages) -> Plugin:
    area = replace(EXPENSES, name=name, projections=())
    return Plugin(api=1, package="tests.plugins", area=area, pages=pages)


def test_the_questions_about_one_thing_are_derived() -> None:
    found = plugin("claims", CLAIMS)
    [pages] = found.pages
    derived = [pages.get, pages.actions]
    assert [pages.title, pages.one] == ["Claims", "expense claim"]
    assert [pages.get.__name__, pages.actions.__name__] == [
        "GetExpenseClaim",
        "ExpenseClaimActions",
    ]
    assert pages.get.declaration.permission == ListExpenseClaims.declaration.permission
    assert {*derived} <= set(found.area.answers)
    assert list(problems_of(found)) == []


def test_the_views_of_a_list_with_an_answer_of_its_own_are_counted_in_one_question(
    shared_shop: Flask,
) -> None:
    found = plugin("claims", CLAIMS)
    [(path, counts)] = found.view_counts.items()
    views = (ListExpenseClaims(), ListExpenseClaims(status=ExpenseStatus.PAID))
    answer, own = found.area.answers[counts], EXPENSES.answers[ListExpenseClaims]
    with services_of(shared_shop).kernel.engines.read.connect() as connection:
        counted = answer.handler(counts(views=views), connection)  # type: ignore[call-arg, union-attr]
        pages = [own.handler(replace(each, count=True), connection) for each in views]  # type: ignore[union-attr]
    assert path == "claims"
    assert counted == tuple(each.total for each in pages)
    assert counts.declaration.reads == ListExpenseClaims.declaration.reads


@pytest.mark.parametrize("path", ["Claims", "2claims", "a//b", "claims-", "api/v1", "", "x" * 41])
def test_a_path_that_cannot_be_one_is_refused(path: str) -> None:
    [problem] = problems_of(plugin("claims", replace(CLAIMS, path=path)))
    assert problem.startswith(f"the path {path!r} cannot be one; write at most 40 small letters")


def pages_at(path: str) -> RecordPages:
    [pages] = plugin("claims", replace(CLAIMS, path=path)).pages
    return RecordPages(pages, [])


def test_the_address_of_a_page_of_the_console_is_refused() -> None:
    app = Flask("console")
    for rule in ("/orders", "/products/<sku>", "/api/v1/commands/<name>"):
        app.add_url_rule(rule, rule)
    for path in ("orders", "products", "static", "api"):
        with pytest.raises(SettingsError) as refused:
            pages_at(path).register(app)
        assert f"cannot be at /{path}: the console has others there." in str(refused.value)
    pages_at("claims-2").register(app)
    with app.test_request_context():
        assert pages_at("claims-2").url_of("A1") == "/claims-2/A1"


@pytest.mark.parametrize(("name", "table"), [("order", "order_lines"), ("alert", "alert_rules")])
def test_a_name_that_begins_those_of_the_consoles_tables_is_refused(name: str, table: str) -> None:
    [problem] = shared_names(plugin(name))
    assert f"the area {name} does not declare the tables" in problem
    assert table in problem
    assert "Rename the area" in problem
    assert not plugin(name).owns(table)


def test_a_name_of_its_own_is_accepted() -> None:
    assert list(shared_names(plugin("claims"))) == []


def test_an_api_of_the_release_before_is_accepted_with_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert found_in({"AREAS": SOURCE}) == (PLUGIN,)
    monkeypatch.setattr(found, "API", 2)
    with pytest.warns(FutureWarning, match="API 1 of plug-in areas. This release still accepts it"):
        assert found_in({"AREAS": SOURCE}) == (PLUGIN,)
    monkeypatch.setattr(found, "OLDEST", 2)
    with pytest.raises(SettingsError, match="was written for API 1 of plug-in areas"):
        found_in({"AREAS": SOURCE})


@event()
class ParcelFound(Event):
    parcel: str
    order_id: str


def test_an_event_of_another_package_is_in_the_timeline_of_its_order() -> None:
    timeline = OrderTimelineProjection(
        {
            ParcelFound: lambda found: (
                found.order_id,
                Entry(EntryKind.ORDER, "Parcel found", (("Parcel", found.parcel),)),
            )
        }
    )
    area = Area(name="parcels", events=[ParcelFound], projections=[timeline])
    history = History(Registry([area]), datetime(2026, 12, 1, tzinfo=UTC))
    history.record("parcel-P1", [ParcelFound(parcel="P1", order_id="7")])
    [row] = fold([timeline], history.recorded).all(order_timeline)
    assert (row["order_id"], row["stream"], row["label"]) == ("7", "parcel-P1", "Parcel found")
    assert row["detail"] == '[["Parcel","P1"]]'
