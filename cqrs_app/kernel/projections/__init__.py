"""Read models: projections, their checkpoints, and the events set aside."""
