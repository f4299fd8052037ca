"""What follows the log: wake-ups, background work, and which processes are alive."""
