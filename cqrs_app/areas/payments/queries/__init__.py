"""Questions about payments and the ledger."""
