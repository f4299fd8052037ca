"""Queries about products and stock: one family per file, with frozen rows as answers."""
