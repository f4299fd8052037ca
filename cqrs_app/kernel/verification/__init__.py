"""Verifies the event log and the command log: hash chains, snapshots, seals."""
