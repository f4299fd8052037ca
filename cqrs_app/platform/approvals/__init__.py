"""Approvals: a command that a policy applies to waits for a second person, who signs exactly what
was shown."""

from __future__ import annotations

from collections.abc import Sequence

from cqrs_app.kernel.commands.handling import handlers_of
from cqrs_app.kernel.queries.answers import actions_of, from_past, from_state, projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.approvals import events, lists, preview, queries
from cqrs_app.platform.approvals.delegation import Delegation
from cqrs_app.platform.approvals.gate import Gate
from cqrs_app.platform.approvals.policies import ApprovalPolicies
from cqrs_app.platform.approvals.request import ApprovalRequest
from cqrs_app.platform.approvals.signers import Signers
from cqrs_app.platform.approvals.subscription import FollowRequests


def approvals_area(
    areas: Sequence[Area], signers: Signers | None, tasks: Sequence[BackgroundTask] = ()
) -> Area:
    """The area; a policy may be about any command of `areas`, or about policies themselves."""
    handlers = {each: handler for area in areas for each, handler in area.handlers.items()}
    handlers |= handlers_of(ApprovalPolicies)
    permissions = {each.__name__: each.declaration.permission for each in handlers}
    return Area(
        name="approvals",
        aggregates=[ApprovalPolicies, ApprovalRequest, Delegation],
        events=events,
        upcasters=events.UPCASTERS,
        subscriptions=[FollowRequests()],
        tasks=tasks,
        answers={
            queries.ListApprovalPolicies: from_state(ApprovalPolicies, queries.list_policies),
            lists.ListApprovalRequests: projected(lists.list_requests),
            lists.ChooseApprovalRequests: projected(lists.choose_requests),
            queries.GetApprovalRequest: from_past(queries.get_request(permissions), by_reader=True),
            queries.ListDelegations: projected(queries.list_delegations),
            preview.PreviewApprovalPolicy: from_past(preview.preview_policy(handlers, signers)),
            queries.RequestActions: actions_of(ApprovalRequest),
        },
        middleware=[] if signers is None else [Gate(handlers, signers)],
    )
