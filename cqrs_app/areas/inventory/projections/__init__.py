"""From what happened to stock to the tables that pages read."""
