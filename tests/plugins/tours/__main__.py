"""Runs in a process of its own, where the packages of the example areas are installed."""

from __future__ import annotations

import sys

from tests.plugins.tours import documents, trading, visits
from tests.plugins.tours.console import Console

TOURS = {"visits": visits.tour, "documents": documents.tour, "trading": trading.tour}


def main() -> None:
    console = Console()
    for name, tour in TOURS.items():
        tour(console)
        sys.stdout.write(f"{name} done.\n")
    for name in TOURS:
        console.remove(name)
    console.services.close()
    sys.stdout.write("The tour is done.\n")


if __name__ == "__main__":
    main()
