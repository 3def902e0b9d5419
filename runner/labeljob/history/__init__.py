"""A finished job's own files: read, consolidated again, compared, measured."""
