"""Subscriptions: what follows the log, wake-ups, background tasks, and which processes are
alive."""
