"""Personal data: sealed with a key per person. Erasing a person destroys the key."""
