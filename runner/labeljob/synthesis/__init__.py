"""Synthetic worker responses: true Ground Truth files from crews of stated habits, any size."""
