"""Reconciliation: proves that read models hold what their events lead to, and repairs them."""
