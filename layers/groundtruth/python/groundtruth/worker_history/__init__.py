"""What is kept of workers from batch to batch: a small batch is judged by more than itself."""
