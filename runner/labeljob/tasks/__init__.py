"""What the command asks of a job type: a file for each, found by name."""
