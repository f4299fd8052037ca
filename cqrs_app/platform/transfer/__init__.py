"""History in and lists out: imports, exports, uploaded files."""
