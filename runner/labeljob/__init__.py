"""The `labeljob` command: Ground Truth's part, played on one machine."""
