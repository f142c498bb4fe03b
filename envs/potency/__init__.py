"""Gain half a log unit or more in potency inside a property window, clear of an off-target."""
