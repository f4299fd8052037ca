"""Things of one operator in the hands of another, of the same role or a higher one."""

from __future__ import annotations

from collections.abc import Iterator

from cqrs_app.installed_areas import ROLES
from tests.attack.outcome import Outcome
from tests.attack.plan import Plan
from tests.attack.target import Target, rows_of

API = "/api/v1"
OWNER = "olga"
OF_VIEWS = ("ViewSaved", "ViewRenamed", "ViewDeleted", "MacroSaved", "MacroRenamed", "MacroDeleted")


def run(target: Target, plan: Plan) -> Iterator[Outcome]:
    yield sessions(target)
    yield views_and_macros(target)
    yield countries(target)


def sessions(target: Target) -> Outcome:
    """Ending somebody else's session, with the name that their own page gives it."""
    outcome = Outcome("objects: sessions of others")
    owner = target.operator(OWNER, "operator")
    keys = [each.key for each in target.services.sessions.list(OWNER)]
    for role in ROLES:
        visitor = target.operator(role)
        for key in keys:
            visitor.submit(f"/account/sessions/{key}/end")
            outcome.expect(
                owner.get("/account").status == 200, f"{role} ended a session of {OWNER}"
            )
    return outcome


def views_and_macros(target: Target) -> Outcome:
    """Private views and macros: kept in another's name, renamed, deleted, listed."""
    outcome = Outcome("objects: views and macros of others")
    owner = target.operator(OWNER, "operator")
    kept = {"owner": OWNER, "list": "orders", "view": "Mine", "query": "stage=on_hold"}
    saved = owner.submit("/commands/SaveView", **kept)
    outcome.expect(saved.status == 303, f"{OWNER} could not save a view: {saved.status}")
    for role in ("operator", "supervisor", "admin"):
        visitor, before = target.operator(role), target.written(*OF_VIEWS)
        for name, more in (
            ("SaveView", kept | {"query": "stage=shipped"}),
            ("RenameView", kept | {"new_name": "Theirs"}),
            ("DeleteView", kept),
            ("DeleteMacro", {"owner": OWNER, "macro": "Hold and note"}),
            ("RenameMacro", {"owner": OWNER, "macro": "Hold and note", "new_name": "x"}),
        ):
            status = visitor.submit(f"/commands/{name}", **more).status
            changed = target.written(*OF_VIEWS) != before
            outcome.expect(not changed, f"{role}: {name} of {OWNER}'s: {status}")
        target.settle()
        page = visitor.get("/views").text
        outcome.expect("stage=on_hold" not in page, f"{role} sees the view of {OWNER}")
    return outcome


def countries(target: Target) -> Outcome:
    """A role that is limited to one country, with orders of others: by form and by batch."""
    outcome = Outcome("objects: orders beyond a role's countries")
    admin = target.operator("admin")
    defined = admin.submit(
        "/commands/DefineRole",
        role="nordic",
        based_on="supervisor",
        permissions=["orders.view", "orders.note", "orders.hold"],
        countries="Norway",
    )
    outcome.expect(defined.status == 303, f"the role was not defined: {defined.status}")
    limited = target.operator("nora", "nordic")
    rows = rows_of(target.program("admin").get(f"{API}/queries/ListOrders?limit=50"))
    others = [each["order_id"] for each in rows if each["country"] != "Norway"]
    for order_id in others:
        before = target.written("OrderNoteAdded")
        sent = limited.submit("/commands/AddOrderNote", order_id=order_id, note="Not mine.")
        unchanged = target.written("OrderNoteAdded") == before
        outcome.expect(unchanged, f"a note on {order_id}: {sent.status}")
    return outcome
