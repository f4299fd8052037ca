"""Measurements over time: what processes count and time, in rows that grow coarser with age."""
