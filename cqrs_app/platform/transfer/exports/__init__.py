"""Whole lists as files: every question whose answer is a page of rows can be exported."""
