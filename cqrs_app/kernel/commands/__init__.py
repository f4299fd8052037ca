"""From a command to the events it leads to: aggregates, the bus and its log."""
