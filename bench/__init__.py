"""How far the product is from the raw limit, measured in interleaved rounds of one run."""
