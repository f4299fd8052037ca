"""Compares the product with the raw limit of the machine, in interleaved rounds of one run."""
