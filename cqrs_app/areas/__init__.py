"""The shop's business areas."""
