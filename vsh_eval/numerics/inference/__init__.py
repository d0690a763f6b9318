"""Whether an estimate is beyond chance, and what would undo it."""
