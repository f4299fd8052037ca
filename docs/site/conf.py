"""Sphinx's settings for the docs: the Markdown of this folder, with the reference beside it."""

from __future__ import annotations

project = "Countersign"
extensions = ["myst_parser"]
root_doc = "index"
html_theme = "furo"
html_title = "Countersign"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
exclude_patterns = ["contracts", "site"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
pygments_style = "default"
