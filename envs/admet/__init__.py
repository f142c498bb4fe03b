"""Keep the potency and fix everything else at once."""
