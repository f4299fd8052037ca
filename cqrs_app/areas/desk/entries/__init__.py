"""What an order's timeline has of each event, area by area."""
