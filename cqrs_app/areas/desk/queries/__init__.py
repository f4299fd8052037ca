"""Questions about orders and customers: one family per file, plain frozen rows as answers."""
