"""Events as they are recorded, and the contracts of their stored shapes."""
