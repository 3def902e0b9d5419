"""One class for each item: votes in, probabilities out, one algorithm a file."""
