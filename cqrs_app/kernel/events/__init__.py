"""Recorded events, and the contracts of their stored shapes."""
