"""One module for each job type: decode answers, consolidate them, encode the label."""
