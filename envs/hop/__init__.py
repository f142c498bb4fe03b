"""Leave the claimed series of the lead and keep the potency."""
