"""Every door of the things of visits."""

from __future__ import annotations

from datetime import date

from tests.interfaces.web.pages.test_views import tabs
from tests.interfaces.web.pages.test_without_scripts import page
from tests.plugins.tours.console import Console
from tests.services.statements import statements


def tour(console: Console) -> None:
    from visits.visit import CheckIn, CheckOut, ExpectVisitor

    assert "Announce a visitor to the reception." in console.ada.get("/commands/ExpectVisitor").text
    sent = console.send_form(
        "ExpectVisitor", visit_id="V1", visitor="Ana Ruiz", host="Ben", day="2026-12-01"
    )
    assert sent.status_code in (204, 303), sent.text
    assert sent.location == "/visits/V1", sent.location
    console.pages(
        ("/visits", "Ana Ruiz"),
        ("/visits?state=expected&q=ana", "1 visit"),
        ("/visits?state=over", "No visits match"),
        ("/visits/V1", "Visitor expected"),
        ("/visits/V1/now", "Check in"),
        ("/search?q=v1", "Visitor expected"),
        ("/catalogue/CheckIn", "visits.receive"),
        ("/commands/SetApprovalPolicy", 'value="CheckIn"'),
        ("/catalogue/VisitActions", "Actions on one visit"),
        ("/exports/ListVisits.csv", "Ana Ruiz"),
        ("/", "/visits"),
    )
    assert console.ada.get("/visits/V9").status_code == 404
    assert console.browser("noah", "viewer").get("/visits").status_code == 200

    checked = console.api("POST", "/commands/CheckIn", json={"visit_id": "V1", "badge": 7})
    assert checked.status_code in (200, 201), checked.text
    listed = console.api("GET", "/queries/ListVisits?q=ana").json["value"]["rows"]
    assert listed == [
        {
            "visit_id": "V1",
            "visitor": "Ana Ruiz",
            "host": "Ben",
            "day": "2026-12-01",
            "state": "inside",
            "badge": 7,
            "applied_version": 2,
        }
    ]
    again = console.flask("command", "CheckIn", "--visit-id", "V1", "--badge", "8")
    assert "not_expected" in again.output, again.output

    for number in ("V2", "V3"):
        day = date(2026, 12, 2)
        console.run(ExpectVisitor(visit_id=number, visitor="Noor", host="Ben", day=day))
        console.run(CheckIn(visit_id=number, badge=9))
    assert 'value="CheckOut"' in console.ada.get("/visits").text
    console.batch("CheckOut", {"q": ["noor"]})
    console.pages(("/visits?q=noor&state=inside", "No visits match"))
    _views(console)
    console.needs_a_second_signature(CheckOut(visit_id="V1"), "V1")


def _views(console: Console) -> None:
    """All views of the list are counted in one statement."""
    for state in ("inside", "expected"):
        saved = console.send_form(
            "SaveView", view=state.title(), owner="ada", list="visits", query=f"state={state}"
        )
        assert saved.status_code in (204, 303), saved.text
    console.services.kernel.cache.forget_all()
    with statements() as sent:
        shown = page(console.ada, "/visits")
    counting = [str(each) for each in sent if "count(*) AS count_1 FROM (" in str(each)]
    assert len(counting) == 1, counting
    assert tabs(shown) == {"All": "3", "Inside": "1", "Expected": "0"}
