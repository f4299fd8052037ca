from tests.platform.approvals.conftest import make_people, shop

__all__ = ["make_people", "shop"]
