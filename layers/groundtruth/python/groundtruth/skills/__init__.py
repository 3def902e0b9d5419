"""What is kept of workers between batches: one protocol, three stores."""
