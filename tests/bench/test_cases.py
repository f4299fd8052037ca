"""The list of cases."""

from __future__ import annotations

import pkgutil
from collections import Counter
from functools import partial

from bench import cases
from bench.case import Case
from bench.cases import CASES


def module_of(case: Case) -> str:
    sides = case.sides.func if isinstance(case.sides, partial) else case.sides
    return sides.__module__


def test_every_module_of_cases_is_in_the_list() -> None:
    found = {f"bench.cases.{module.name}" for module in pkgutil.iter_modules(cases.__path__)}
    assert {module_of(case) for case in CASES} == found


def test_every_line_has_a_name_that_only_it_has() -> None:
    names = Counter(line.name for case in CASES for line in case.lines)
    assert [name for name, count in names.items() if count > 1] == []
    assert not [name for name in names if "{" in name], "a database was not filled in"
