"""Mend one liability of a potent lead and keep the potency."""
