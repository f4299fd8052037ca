"""The whole terminal as one page that is drawn again and again."""

from __future__ import annotations

import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

# xterm's control sequences, https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
TERMINATED = 128 + signal.SIGTERM


class Screen:
    def show(self, lines: Sequence[str]) -> None:
        """Draw over what is there, so that nothing flickers."""
        text = f"{CLEAR_LINE}\n".join(lines)
        click.echo(f"{HOME}{text}{CLEAR_LINE}{CLEAR_BELOW}", nl=False, color=True)

    def key(self, seconds: float) -> str:
        """The key that is pressed within this time, or an empty text."""
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return sys.stdin.read(1) if ready else ""


@contextmanager
def full_screen() -> Iterator[Screen]:
    """Keys are read without Enter. Afterwards the terminal shows what it showed before."""
    before = termios.tcgetattr(sys.stdin)
    handler = signal.signal(signal.SIGTERM, _terminated)
    try:
        tty.setcbreak(sys.stdin)
        click.echo(ENTER, nl=False, color=True)
        yield Screen()
    finally:
        click.echo(LEAVE, nl=False, color=True)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTERM, handler)


def _terminated(*_: object) -> None:
    raise SystemExit(TERMINATED)
