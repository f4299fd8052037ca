"""Queries about payments and the ledger."""
