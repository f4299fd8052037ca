"""Operators: accounts, roles, passwords, sessions, tokens, and the first sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cqrs_app.kernel.queries.answers import from_past, from_state, projected
from cqrs_app.kernel.registry import Area
from cqrs_app.kernel.subscriptions.tasks import BackgroundTask
from cqrs_app.platform.operators import access_review, custom_roles, events, queries
from cqrs_app.platform.operators.account import OperatorAccount
from cqrs_app.platform.operators.roles import MANAGE_TOKENS, SCIM


def operators_area(middleware: Sequence[Any] = (), tasks: Sequence[BackgroundTask] = ()) -> Area:
    """The area; `middleware` has what needs the write store: see changes.py."""
    return Area(
        name="operators",
        aggregates=[OperatorAccount, custom_roles.CustomRoles, access_review.AccessReviews],
        events=events,
        tasks=tasks,
        answers={
            queries.ListOperators: projected(queries.list_operators),
            queries.GetOperatorHistory: from_past(queries.get_operator_history),
            custom_roles.ListCustomRoles: from_state(
                custom_roles.CustomRoles, custom_roles.list_custom_roles
            ),
            access_review.ListAccessReviews: from_past(access_review.list_access_reviews),
        },
        middleware=middleware,
        permissions=[MANAGE_TOKENS, SCIM],
    )
