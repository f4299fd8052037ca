"""Questions about products and stock: one family per file, plain frozen rows as answers."""
