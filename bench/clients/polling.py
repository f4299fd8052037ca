"""`python -m bench.clients.polling URL`: a process that reads one order over and over, see
slices.py. The figure of a slice is its longest wait, in ms."""

from __future__ import annotations

import sys
import time

from sqlalchemy import create_engine

from bench.clients.slices import serve_slices

READ = "SELECT status, total, applied_version FROM orders WHERE order_id = 'TEMPLATE'"


def main(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:

        def longest_wait(seconds: float) -> float:
            longest, until = 0.0, time.perf_counter() + seconds
            while (started := time.perf_counter()) < until:
                connection.exec_driver_sql(READ).all()
                longest = max(longest, time.perf_counter() - started)
            return longest * 1000

        serve_slices(longest_wait)


if __name__ == "__main__":
    main(sys.argv[1])
