"""Speed, as ratios to the naive way and to what else there is, measured in one run."""
