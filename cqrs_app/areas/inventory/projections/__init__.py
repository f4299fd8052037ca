"""Projections from stock events to the tables that pages read."""
