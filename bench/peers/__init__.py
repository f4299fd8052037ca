"""Other products, measured beside this one."""
