"""What is said in the same words wherever a result, a rule or a reason stands."""
