"""Messages: commands, events and queries, their fields, and what makes a value unusable."""
