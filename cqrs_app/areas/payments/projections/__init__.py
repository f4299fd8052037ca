"""What payments' events become for those who read."""
