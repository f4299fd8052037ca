"""Personal data: sealed with a key per person, which erasing destroys."""
