"""Tell a programme that can be solved from one that is dead, and act on it."""
