"""The words shown for expense claims."""

from __future__ import annotations

from enum import StrEnum


class ExpenseStatus(StrEnum):
    """The values are stored."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REVISION_REQUESTED = "revision_requested"
    APPROVED = "approved"
    PAYMENT_REQUESTED = "payment_requested"
    PAID = "paid"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        return "In approval" if self is ExpenseStatus.SUBMITTED else words(self)


OPEN = (
    ExpenseStatus.DRAFT,
    ExpenseStatus.SUBMITTED,
    ExpenseStatus.REVISION_REQUESTED,
    ExpenseStatus.APPROVED,
    ExpenseStatus.PAYMENT_REQUESTED,
)
"""Somebody has to act before the claim is over."""


class ExpenseKind(StrEnum):
    """What a claim is for. It decides which stages the claim needs: see stages.py."""

    EXPENSES = "expenses"
    DECLARATION = "declaration"
    PAYMENT_REQUEST = "payment_request"
    PERMIT = "permit"

    @property
    def label(self) -> str:
        return {
            ExpenseKind.EXPENSES: "Expenses",
            ExpenseKind.DECLARATION: "Travel declaration",
            ExpenseKind.PAYMENT_REQUEST: "Request for payment",
            ExpenseKind.PERMIT: "Travel permit",
        }[self]


class ExpenseStage(StrEnum):
    """Who signs a claim, in this order."""

    PRE_APPROVER = "pre_approver"
    ADMINISTRATION = "administration"
    BUDGET_OWNER = "budget_owner"
    SUPERVISOR = "supervisor"
    DIRECTOR = "director"

    @property
    def label(self) -> str:
        return words(self)


def words(value: str) -> str:
    """budget_owner -> Budget owner."""
    return value.replace("_", " ").capitalize()
