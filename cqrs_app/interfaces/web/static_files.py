"""Static files under a URL that holds a hash of them all, the style sheet included. The hash is
part of the path, so that relative URLs in a style sheet have it too. A browser keeps such a file
for ever; after an upgrade the URL is another one. The style sheet is written as one file per
component and sent as one: a browser draws nothing before it has them all.
"""

from __future__ import annotations

import hashlib
import io
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_file

KEPT_FOR_EVER = "public, max-age=31536000, immutable"
ASKED_FOR_AGAIN = "no-cache"
ADDRESSES_KEPT = 256
STYLE_SHEET = "css/console.css"
"""No file of this name exists: `style_sheet` is sent under it."""
LAYERS = ("tokens", "base", "layout", "components")
"""The cascade layers; a rule in a later one wins whatever its selector."""
_ANY_VERSION = re.compile(r"v-[0-9a-f]{12}/")


def init_static_files(app: Flask) -> None:
    """Put the hash into `url_for('static', filename=...)` and serve such URLs; templates have the
    same as `static_url(filename)`, computed once.
    """
    if not app.static_folder:
        raise ValueError("the application has no folder of static files")
    folder = Path(app.static_folder)
    version = version_of(folder)
    sheet = style_sheet(folder / "css").encode()

    def serve(filename: str) -> Response:
        if filename != STYLE_SHEET:
            return app.send_static_file(filename)
        return send_file(io.BytesIO(sheet), "text/css", etag=version.strip("/"))

    def static(filename: str) -> Response:
        found = _ANY_VERSION.match(filename)
        response = serve(filename[found.end() :] if found else filename)
        # A page from before an upgrade still finds its files, but does not cache them.
        current = found is not None and found[0] == version
        response.headers["Cache-Control"] = KEPT_FOR_EVER if current else ASKED_FOR_AGAIN
        return response

    app.view_functions["static"] = static

    @lru_cache(ADDRESSES_KEPT)
    def address(root: str, filename: str) -> str:
        return app.url_for("static", filename=filename)

    # A list of orders has more than a hundred icons, and each names its file.
    app.jinja_env.globals["static_url"] = lambda filename: address(request.script_root, filename)

    @app.url_defaults
    def _add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            values["filename"] = version + values["filename"]


def style_sheet(folder: Path) -> str:
    """The layers one after the other. Each is a file of its name, or all files of a folder of its
    name in alphabetical order."""
    sheet = f"@layer {', '.join(LAYERS)};\n"
    for layer in LAYERS:
        for path in (*folder.glob(f"{layer}.css"), *sorted(folder.glob(f"{layer}/*.css"))):
            sheet += f"@layer {layer} {{\n{path.read_text(encoding='utf-8')}}}\n"
    return sheet


def version_of(folder: Path) -> str:
    """`v-` and twelve digits that change with any file's name or content; ends with a slash."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return f"v-{digest.hexdigest()[:12]}/"
