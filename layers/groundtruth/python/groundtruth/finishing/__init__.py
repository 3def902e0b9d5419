"""What is done when a labeling job is over: a built-in manifest, a summary, a re-queue manifest."""
