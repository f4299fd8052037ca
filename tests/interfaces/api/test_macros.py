from __future__ import annotations

from tests.interfaces.api.conftest import Program, order

STEPS = ["HoldOrder?reason=other", "AddOrderNote?note=Call"]


def test_a_batch_of_a_macro(admin: Program) -> None:
    admin.do("PlaceOrder", **order())
    saved = admin.do("SaveMacro", macro="Hold and note", owner="token:admin", steps=STEPS)
    assert saved.status_code == 200, saved.json
    listed = admin.get("/queries/ListMacros", owner="token:admin").json["value"]
    assert listed == [{"name": "Hold and note", "steps": STEPS}]
    body = {"macro": "hold and note", "ids": ["A1"], "dry_run": True}
    made = admin.post("/batches", body)
    assert made.status_code == 202, made.json
    found = admin.get(f"/batches/{made.json['batch_id']}").json
    assert (found["macro"], found["steps"], found["total"]) == ("Hold and note", STEPS, 1)


def test_a_batch_is_of_a_macro_or_of_a_command(admin: Program) -> None:
    for body in ({"ids": ["A1"]}, {"command": "ApproveOrder", "macro": "Hold", "ids": ["A1"]}):
        answer = admin.post("/batches", body)
        assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_nobody_lists_the_views_or_macros_of_another(admin: Program) -> None:
    for name in ("ListMacros", "ListViews"):
        answer = admin.get(f"/queries/{name}", owner="ana")
        assert (answer.status_code, answer.json["code"]) == (422, "not_yours")
