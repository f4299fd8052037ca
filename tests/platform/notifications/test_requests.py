"""Who hears of a request again, whatever its row says of the round before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cqrs_app.kernel.messages.permissions import Role
from cqrs_app.platform.approvals.events import ApprovalResubmitted
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.signer import Signer
from cqrs_app.platform.approvals.types import ApprovalStage
from cqrs_app.platform.notifications import approvals
from cqrs_app.platform.notifications.notice import Cause


def test_a_request_that_is_sent_again_asks_those_too_who_signed_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = ApprovalRequest(
        command="RefundPayment",
        stream="payment-P1",
        asker="ana",
        stages=(ApprovalStage(approvals=3, role=Role.SUPERVISOR), ApprovalStage(role=Role.ADMIN)),
        stage=1,
        signed={"sue": 0, "sam": 0},
        signed_for={"sam": "max"},
    )
    people = {"ana": "supervisor", "sue": "supervisor", "sam": "admin", "max": "admin", "vic": ""}
    signers = [Signer(name, name, role) for name, role in people.items()]
    monkeypatch.setattr(approvals, "_request", lambda connection, event: before)
    monkeypatch.setattr(approvals, "signers_in", lambda connection: signers)
    event: Any = SimpleNamespace(request_id="R1")
    cause, connection = Cause("ana", "payment P1", {}, {}), SimpleNamespace()
    notices = approvals.NOTICES[ApprovalResubmitted](event, cause, connection)  # type: ignore[arg-type]
    assert [who for who, *_ in notices] == ["sue", "sam", "max"]
