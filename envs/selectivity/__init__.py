"""Open a window between a target and its close relative, inside a property window."""
