"""A finished job's answers and lines as columns, read once and kept beside the job."""
