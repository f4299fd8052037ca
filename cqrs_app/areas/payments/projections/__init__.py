"""Projections of payments' events."""
