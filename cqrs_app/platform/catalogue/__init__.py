"""Descriptions of all messages, derived from their declarations, for API, pages and command
line."""
