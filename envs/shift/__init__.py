"""Find a candidate for a profile that changes on the way."""
