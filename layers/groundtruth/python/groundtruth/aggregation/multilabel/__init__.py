"""Any number of labels for each item: answers in, probabilities out, one algorithm a file."""
