"""Tests of the standards that values follow."""
