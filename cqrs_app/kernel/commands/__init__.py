"""Commands: aggregates, the command bus and its log."""
