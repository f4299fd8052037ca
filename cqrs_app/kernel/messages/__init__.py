"""Messages: commands, events and queries, their fields and their validation."""
