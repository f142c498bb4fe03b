"""Pick the best of a given set of compounds with fewer readings than there are to take."""
