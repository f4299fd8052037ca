"""Other products for comparison."""
