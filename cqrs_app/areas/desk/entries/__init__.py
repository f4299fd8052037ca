"""What each event adds to an order's timeline, area by area."""
