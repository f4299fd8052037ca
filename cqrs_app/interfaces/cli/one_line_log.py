"""The product's warnings at the command line: one line each, on stderr."""

from __future__ import annotations

import logging


class OneLine(logging.Formatter):
    """The message and, instead of a traceback, the exception."""

    def format(self, record: logging.LogRecord) -> str:
        raised = record.exc_info[1] if record.exc_info else None
        reason = f": {str(raised).splitlines()[0]}" if raised and str(raised) else ""
        return f"{record.getMessage()}{reason}"


def one_line_each() -> None:
    """Take effect if nobody has configured logging; the command itself reports failures."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(OneLine())
