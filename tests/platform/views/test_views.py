"""Saved views: the rules of one person's, and what the bus refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from cqrs_app.installed_areas import LISTS, ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import NotAllowed, Refused
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.registry import Registry
from cqrs_app.kernel.testing import Scenarios
from cqrs_app.platform.views import views_area
from cqrs_app.platform.views.commands import TEAM, DeleteView, RenameView, SaveView
from cqrs_app.platform.views.events import ViewDeleted, ViewRenamed, ViewSaved
from cqrs_app.platform.views.queries import ListViews
from cqrs_app.platform.views.views import MOST_VIEWS, SavedView, Views
from cqrs_app.services import services_of

VIEWS = Scenarios(views_area(LISTS), at=datetime(2026, 3, 2, 12, tzinfo=UTC))
MARIA = Actor("maria", ROLES["operator"])
LEAD = Actor("lead", ROLES["supervisor"])


def saved(name: str, query: str = "", default_for: str = "", owner: str = TEAM) -> ViewSaved:
    return ViewSaved(owner=owner, list="orders", view=name, query=query, default_for=default_for)


def test_a_view_is_replaced_by_one_of_the_same_name_in_its_place() -> None:
    given = VIEWS.given(saved("Late"), saved("Urgent", "tag=urgent"))
    command = SaveView(owner=TEAM, list="orders", view="LATE", query="stage=on_hold")
    found: Views = given.when(command).then(saved("LATE", "stage=on_hold"))
    assert [each.name for each in found.saved] == ["LATE", "Urgent"]


def test_views_of_two_lists_may_have_one_name() -> None:
    command = SaveView(owner=TEAM, list="payments", view="Late")
    found = VIEWS.given(saved("Late")).when(command).subject
    assert [each.list for each in found.saved] == ["orders", "payments"]


def test_a_role_has_one_default_of_a_list() -> None:
    command = SaveView(owner=TEAM, list="orders", view="New", default_for=Role.VIEWER)
    found = VIEWS.given(saved("Old", "", "viewer")).when(command).then(saved("New", "", "viewer"))
    assert [each.default_for for each in found.saved] == ["", "viewer"]


@pytest.mark.parametrize(
    ("list_name", "role"), [("payments", Role.VIEWER), ("orders", Role.OPERATOR)]
)
def test_defaults_of_two_lists_or_of_two_roles_stand_beside_each_other(
    list_name: str, role: Role
) -> None:
    command = SaveView(owner=TEAM, list=list_name, view="New", default_for=role)
    found = VIEWS.given(saved("Old", "", "viewer")).when(command).subject
    assert [(each.list, each.default_for) for each in found.saved] == [
        ("orders", "viewer"),
        (list_name, role),
    ]


def test_only_a_view_of_the_team_is_a_default() -> None:
    command = SaveView(owner="maria", list="orders", view="Mine", default_for=Role.VIEWER)
    VIEWS.given().when(command).refused("not_shared")


def test_a_view_is_renamed_and_deleted_under_any_spelling() -> None:
    rename = RenameView(owner=TEAM, list="orders", view="late", new_name="Late orders")
    renamed = ViewRenamed(owner=TEAM, list="orders", view="late", new_name="Late orders")
    VIEWS.given(saved("Late")).when(rename).then(renamed)
    delete = DeleteView(owner=TEAM, list="orders", view="late ORDERS")
    deleted = ViewDeleted(owner=TEAM, list="orders", view="late ORDERS")
    assert VIEWS.given(saved("Late"), renamed).when(delete).then(deleted).saved == []


def test_a_view_is_not_renamed_to_the_name_of_another() -> None:
    command = RenameView(owner=TEAM, list="orders", view="A", new_name="b")
    VIEWS.given(saved("A"), saved("B")).when(command).refused("name_taken")


@pytest.mark.parametrize(
    "command",
    [
        RenameView(owner=TEAM, list="orders", view="A", new_name="b"),
        DeleteView(owner=TEAM, list="orders", view="A"),
    ],
)
def test_a_view_that_is_not_there_is_not_changed(command: Command) -> None:
    VIEWS.given(saved("B")).when(command).refused("no_such_view")


def test_a_list_has_so_many_views_at_most() -> None:
    full = VIEWS.given(*(saved(f"View {number}") for number in range(MOST_VIEWS)))
    full.when(SaveView(owner=TEAM, list="orders", view="More")).refused("too_many_views")
    assert full.when(SaveView(owner=TEAM, list="orders", view="View 3")).accepted
    assert full.when(SaveView(owner=TEAM, list="payments", view="More")).accepted


@pytest.fixture(scope="module")
def kernel(shared_console: Flask) -> Kernel:
    found: Kernel = services_of(shared_console).kernel
    return found


def do(kernel: Kernel, command: Command, actor: Actor = MARIA) -> None:
    kernel.commands.execute(command, Context(actor=actor, channel="test"))


def listed(kernel: Kernel, owner: str, actor: Actor = MARIA) -> tuple[SavedView, ...]:
    found: tuple[SavedView, ...] = kernel.queries.ask(
        ListViews(owner=owner), QueryContext(actor=actor)
    ).value
    return found


def test_a_saved_view_is_listed_at_once(kernel: Kernel) -> None:
    query = "stage=on_hold&stage=out_of_stock&sort=total&descending=1&columns=customer,total"
    do(kernel, SaveView(owner="maria", list="orders", view="Stuck", query=query))
    assert listed(kernel, "maria") == (SavedView(list="orders", name="Stuck", query=query),)
    do(kernel, DeleteView(owner="maria", list="orders", view="Stuck"))
    assert listed(kernel, "maria") == ()


def test_the_teams_views_need_a_supervisor(kernel: Kernel) -> None:
    command = SaveView(owner=TEAM, list="orders", view="Held", query="stage=on_hold")
    with pytest.raises(NotAllowed, match=r"views\.share"):
        do(kernel, command)
    assert listed(kernel, TEAM) == ()
    do(kernel, command, LEAD)
    assert [each.name for each in listed(kernel, TEAM)] == ["Held"]


def test_nobody_sees_the_views_of_another(kernel: Kernel) -> None:
    with pytest.raises(Refused, match="Only maria can see") as refused:
        listed(kernel, "maria", LEAD)
    assert refused.value.code == "not_yours"


def test_nobody_changes_the_views_of_another(kernel: Kernel) -> None:
    for command in (
        SaveView(owner="maria", list="orders", view="Planted"),
        DeleteView(owner="maria", list="orders", view="Mine"),
    ):
        with pytest.raises(Refused, match="It belongs to maria") as refused:
            do(kernel, command, LEAD)
        assert refused.value.code == "not_yours"


@pytest.mark.parametrize(
    ("list_name", "query", "sentence"),
    [
        ("kittens", "", "There is no list kittens"),
        ("orders", "colour=red", "colour: There is no such filter"),
        ("orders", "stage=asleep", "stage"),
        ("orders", "q=Ada+Lovelace", "may name a person"),
        ("payments", "sort=colour", "sort"),
    ],
)
def test_a_view_that_its_list_cannot_show_is_refused(
    kernel: Kernel, list_name: str, query: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        do(kernel, SaveView(owner="maria", list=list_name, view="Odd", query=query))
    assert refused.value.code == "unusable_view"
    assert "Nothing was saved." in refused.value.sentence


def test_every_list_takes_its_own_filters(kernel: Kernel) -> None:
    for list_name, query in {
        "orders": "stage=on_hold&min_total=12.50&placed_from=2026-03-01&flagged=1",
        "customers": "status=active&sort=name&descending=0",
        "products": "show=low",
        "payments": "status=captured",
        "expenses": "status=submitted&stage=supervisor",
    }.items():
        do(kernel, SaveView(owner="zoe", list=list_name, view="All", query=query), ZOE)
    assert [each.list for each in listed(kernel, "zoe", ZOE)] == list(LISTS)


ZOE = Actor("zoe", ROLES["operator"])


def test_the_registry_has_the_area() -> None:
    assert Views.category in Registry([views_area(LISTS)]).aggregates
