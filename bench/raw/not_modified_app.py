"""The minimal Flask application: one route that returns 304."""

from __future__ import annotations

from flask import Flask, Response

app = Flask(__name__)


@app.get("/")
def nothing_new() -> Response:
    return Response(status=304)
