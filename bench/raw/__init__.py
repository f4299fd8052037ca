"""The same work by hand, without a product around it: the floor that lines compare with."""
