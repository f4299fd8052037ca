"""Exports whole lists as files: every query that answers with pages of rows can be exported."""
