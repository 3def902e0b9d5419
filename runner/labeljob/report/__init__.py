"""One HTML page about a finished job, for the person who answers for its labels."""
