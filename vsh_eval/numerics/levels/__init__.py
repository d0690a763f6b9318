"""Levels, gaps and what follows from them: ratios of sums, proportions, contrasts, sizes."""
