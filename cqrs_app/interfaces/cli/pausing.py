"""Waits between two outputs of a verb that goes on."""

from __future__ import annotations

import select
import sys
import time

import click


def pause(seconds: float) -> None:
    """Wait; exits here once nobody reads the output."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):
        time.sleep(seconds)  # not a file of the system's, so nobody can close it
        return
    watch = select.poll()
    watch.register(output, 0)
    if watch.poll(seconds * 1000):
        raise click.exceptions.Exit(0)
