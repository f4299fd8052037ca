"""Break-glass: an override raises an alert, and somebody else has to review it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.errors import Invalid, Refused
from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.alerts import overrides
from cqrs_app.platform.alerts.overrides import of_overrides
from cqrs_app.platform.approvals.commands import OverrideApproval, ReviewOverride
from cqrs_app.platform.approvals.types import ApprovalStage, OverrideVerdict
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up
from tests.platform.approvals.conftest import Shop
from tests.platform.approvals.test_doors import signed_in


def override(shop: Shop, asker: str = "sam", **stage: object) -> str:
    """A request that ada overrides."""
    shop.policy(stages=(ApprovalStage(**stage),), review_hours=2)  # type: ignore[arg-type]
    request_id = shop.ask(name=asker)
    digest = shop.view(request_id).digest
    shop.run(
        OverrideApproval(request_id=request_id, digest=digest, reason="The site is down."), "ada"
    )
    shop.work()
    return request_id


def review(shop: Shop, request_id: str, name: str) -> None:
    verdict = OverrideVerdict.JUSTIFIED
    shop.run(ReviewOverride(request_id=request_id, verdict=verdict, comment="Fine."), name)
    catch_up(shop.app)


def notices(shop: Shop, name: str) -> list[str]:
    return [each.sentence for each in services_of(shop.app).inbox.newest(name)]


def test_an_override_is_a_problem_until_somebody_else_has_reviewed_it(shop: Shop) -> None:
    request_id = override(shop)
    assert [each.kind for each in of_overrides(shop.kernel)] == ["override"]
    review(shop, request_id, "tina")
    assert list(of_overrides(shop.kernel)) == []
    view = shop.view(request_id)
    assert (view.state, view.review_due, view.history[-1].operator) == (
        "executed",
        None,
        "tina",
    )
    assert [each.verdict for each in view.history[-2:]] == [None, OverrideVerdict.JUSTIFIED]
    page = signed_in(shop, "sam").get(f"/approvals/{request_id}").text
    assert "Approval override reviewed: justified" in page
    with pytest.raises(Refused) as refused:
        review(shop, request_id, "tina")
    assert refused.value.code == "no_review_due"


def test_a_review_that_is_overdue_is_a_problem_of_its_own(
    shop: Shop,
) -> None:
    override(shop)
    later = shop.kernel.clock() + timedelta(hours=3)
    found = list(of_overrides(replace(shop.kernel, clock=lambda: later)))
    assert [each.kind for each in found] == ["override", "override_overdue"]
    assert all(each.has_begun for each in found)


def test_overrides_beyond_the_bound_are_a_problem_together(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    override(shop)
    monkeypatch.setattr(overrides, "MOST", 0)
    [found] = of_overrides(shop.kernel)
    assert (found.kind, found.subject, found.value) == ("override", "more", 1)
    assert found.title == "1 more approval was overridden"


def test_neither_whoever_overrode_nor_whoever_asked_nor_a_bystander_reviews(shop: Shop) -> None:
    request_id = override(shop)
    tokens = services_of(shop.app).tokens
    tokens.create("robot", "admin", made_by="ada")
    for name in ("ada", "sam", "olga", "token:robot"):
        with pytest.raises(Refused) as refused:
            review(shop, request_id, name)
        assert refused.value.code == "not_a_reviewer"
    assert shop.view(request_id).review_due is not None


def test_an_admin_who_overrides_their_own_request_does_not_go_unnoticed(shop: Shop) -> None:
    request_id = override(shop, asker="ada")
    assert [each.subject for each in of_overrides(shop.kernel)] == [request_id]
    assert "ada overrode the approval of “Refund payment” for payment P-1. Review it." in notices(
        shop, "tina"
    )
    review(shop, request_id, "tina")


def test_another_administrator_reviews_what_only_one_person_could_sign(shop: Shop) -> None:
    accounts = services_of(shop.app).accounts
    accounts.create("abel", "admin", "countersign seventeen lamps")
    request_id = override(shop, role=Role.SUPERVISOR, people=("tina",))
    context = Context(actor=Actor("abel", shop.actor("ada").permissions), channel="form")
    comment = ReviewOverride(
        request_id=request_id, verdict=OverrideVerdict.NOT_JUSTIFIED, comment="It could wait."
    )
    shop.kernel.commands.execute(comment, context)
    assert shop.view(request_id).review_due is None


def test_a_review_needs_a_comment() -> None:
    for comment in ("", "  "):
        with pytest.raises(Invalid, match="comment"):
            ReviewOverride(
                request_id="5c7b3a52-93ab-4d5f-8a43-5a0f6a1f9d11",
                verdict=OverrideVerdict.JUSTIFIED,
                comment=comment,
            )


def test_home_and_approvals_show_what_is_to_be_reviewed(shop: Shop) -> None:
    request_id = override(shop)
    tina = signed_in(shop, "tina")
    assert "1 to review" in tina.get("/").text
    assert f"/approvals/{request_id}" in tina.get("/approvals?view=overrides").text
    page = tina.get(f"/approvals/{request_id}").text
    assert "Review override" in page
    assert "To be reviewed by" in page
    assert "Review override" not in signed_in(shop, "ada").get(f"/approvals/{request_id}").text


def test_who_can_sign_is_notified_of_a_request_and_of_the_next_stage(shop: Shop) -> None:
    shop.policy(stages=(ApprovalStage(people=("tina",)), ApprovalStage(role=Role.ADMIN)))
    request_id = shop.ask()
    asked = "sam requests your approval of “Refund payment” for payment P-1."
    assert (notices(shop, "tina"), notices(shop, "ada"), notices(shop, "sam")) == ([asked], [], [])
    shop.sign(request_id, "tina")
    assert notices(shop, "ada") == [asked]
