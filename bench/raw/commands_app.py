"""A bare Flask route that does the writes of one command by hand, on the database at DATABASE_URL.

It reads the note from JSON or a form, and checks neither identity nor permission.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, request

from bench.raw.command import on_postgres, on_sqlite

app = Flask(__name__)
_of_thread = threading.local()


@app.post("/")
def add_note() -> Response:
    sent = request.get_json() if request.is_json else request.form
    assert sent["note"]
    _step()()
    return Response(status=204)


def _step() -> Callable[[], None]:
    """One connection per thread, open until the process ends."""
    if not hasattr(_of_thread, "step"):
        url = os.environ["DATABASE_URL"]
        _of_thread.opened = (
            on_postgres(url)
            if url.startswith("postgresql")
            else on_sqlite(Path(url.removeprefix("sqlite:///")))
        )
        _of_thread.step = _of_thread.opened.__enter__()
    step: Callable[[], None] = _of_thread.step
    return step
