"""Questions about expense claims."""
