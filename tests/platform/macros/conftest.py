"""A console with people who may sign."""

from tests.platform.approvals.conftest import make_people

__all__ = ["make_people"]
