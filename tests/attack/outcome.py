"""What an attack found."""

from __future__ import annotations

from dataclasses import dataclass, field

SHOWN = 20
"""Failures of one attack that are printed."""


@dataclass(slots=True)
class Outcome:
    """One attack: what was tried how often, and a sentence for each time it came through.
    `figure` is what was measured, for the table."""

    name: str
    tried: int = 0
    failures: list[str] = field(default_factory=list)
    figure: str = ""

    def expect(self, holds: bool, sentence: str) -> None:
        """Count one attempt, which failed as it should if `holds`."""
        self.tried += 1
        if not holds:
            self.failures.append(sentence)

    def __str__(self) -> str:
        figure = f" | {self.figure}" if self.figure else ""
        lines = [f"{self.name:<58}{self.tried:>9,}{len(self.failures):>6}{figure}"]
        lines += [f"    {each}" for each in self.failures[:SHOWN]]
        if len(self.failures) > SHOWN:
            lines.append(f"    and {len(self.failures) - SHOWN} more")
        return "\n".join(lines)
