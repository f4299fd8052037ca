"""What `flask up` needs to host the whole console on one machine, and nothing of the product."""
