"""Which stages a claim needs, and who may sign each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from cqrs_app.areas.expenses.words import ExpenseKind, ExpenseStage
from cqrs_app.kernel import Permission, Role


@dataclass(frozen=True, slots=True)
class Needed:
    """A stage that claims above an amount need, whatever the currency."""

    stage: ExpenseStage
    above: Decimal = Decimal(-1)


_S = ExpenseStage
_TRAVEL = (Needed(_S.SUPERVISOR),)

NEEDED: Mapping[ExpenseKind, tuple[Needed, ...]] = MappingProxyType(
    {
        ExpenseKind.EXPENSES: (
            Needed(_S.ADMINISTRATION),
            Needed(_S.BUDGET_OWNER, above=Decimal(500)),
            Needed(_S.SUPERVISOR),
            Needed(_S.DIRECTOR, above=Decimal(5_000)),
        ),
        ExpenseKind.DECLARATION: _TRAVEL,
        ExpenseKind.PAYMENT_REQUEST: _TRAVEL,
        ExpenseKind.PERMIT: _TRAVEL,
    }
)
"""Kind of claim -> its stages. Whoever submits a claim may add others."""

SIGN: Mapping[ExpenseStage, Permission] = MappingProxyType(
    {
        _S.PRE_APPROVER: Permission("expenses.sign_pre_approver", Role.OPERATOR),
        _S.ADMINISTRATION: Permission("expenses.sign_administration", Role.OPERATOR),
        _S.BUDGET_OWNER: Permission("expenses.sign_budget_owner", Role.SUPERVISOR),
        _S.SUPERVISOR: Permission("expenses.sign_supervisor", Role.SUPERVISOR),
        _S.DIRECTOR: Permission("expenses.sign_director", Role.ADMIN),
    }
)
"""Stage -> the permission to sign for it."""


def stages_of(
    kind: ExpenseKind, amount: Decimal, further: Collection[ExpenseStage] = ()
) -> tuple[ExpenseStage, ...]:
    """The stages that a claim needs, in their order."""
    needed = {each.stage for each in NEEDED[kind] if amount > each.above} | set(further)
    return in_order(needed)


def in_order(stages: Collection[ExpenseStage]) -> tuple[ExpenseStage, ...]:
    """These stages in the order in which they sign, each once."""
    return tuple(each for each in ExpenseStage if each in stages)


def rank(stage: ExpenseStage) -> int:
    """The place of a stage in the order."""
    return [*ExpenseStage].index(stage)
