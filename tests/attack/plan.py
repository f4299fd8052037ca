"""How much is tried."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """`values` hostile values, and `times` for what is repeated. The same seed tries the same."""

    values: int
    times: int
    seed: int

    def chance(self, name: str) -> random.Random:
        """What one attack draws from."""
        return random.Random(f"{self.seed} {name}")
