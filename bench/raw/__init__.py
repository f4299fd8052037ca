"""The same work without a product around it: the floor that lines compare with."""
