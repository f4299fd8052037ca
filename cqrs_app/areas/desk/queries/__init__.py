"""Queries about orders and customers: one family per file, with frozen rows as answers."""
