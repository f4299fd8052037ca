"""Assignments: who works on which order. What is read of them is in desk."""

from __future__ import annotations

from cqrs_app.areas.assignments import events
from cqrs_app.areas.assignments.assignment import Assignment
from cqrs_app.kernel import Area

ASSIGNMENTS = Area(name="assignments", topic="orders", aggregates=[Assignment], events=events)
