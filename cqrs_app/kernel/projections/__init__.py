"""Projections: read models, their rows, and how they are rebuilt."""
