"""Events -> read models: the order list and its figures, the timeline, the customers."""
