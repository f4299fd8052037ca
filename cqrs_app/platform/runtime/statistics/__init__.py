"""The console's statistics over time: which there are, and how each is read."""
