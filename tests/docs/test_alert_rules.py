"""Alert rules agree with the Prometheus rules and the runbook."""

from __future__ import annotations

import re

import pytest

from cqrs_app.interfaces.web.areas.alerts import section
from cqrs_app.platform.alerts.rules import RULES, Rule
from tests.docs.test_monitoring import ALERTS, RUNBOOK

SECONDS = {"m": 60, "h": 3_600}


def rules_of_prometheus() -> dict[str, tuple[int, str]]:
    """Alert -> its pending seconds and its severity."""
    found = {}
    for part in ALERTS.read_text(encoding="utf-8").split("- alert: ")[1:]:
        waits = re.search(r"\n\s+for: (\d+)([mh])\n", part)
        severity = re.search(r"severity: ('\{\{.*?\}\}'|\w+)", part)
        assert severity
        seconds = int(waits[1]) * SECONDS[waits[2]] if waits else 0
        found[part.split("\n")[0]] = seconds, severity[1]
    return found


PROMETHEUS = rules_of_prometheus()


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_a_rule_has_its_section_of_the_runbook(rule: Rule) -> None:
    assert section(RUNBOOK, rule.runbook)


@pytest.mark.parametrize(
    "rule", [each for each in RULES.values() if each.prometheus], ids=lambda rule: rule.name
)
def test_a_rule_is_raised_as_in_prometheus(rule: Rule) -> None:
    assert PROMETHEUS[rule.prometheus] == (rule.pending_seconds, rule.severity)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_the_table_of_rules_has_each(rule: Rule) -> None:
    [row] = [line for line in RUNBOOK.splitlines() if re.match(rf"\|.*`{rule.name}`", line)]
    assert rule.severity in row
