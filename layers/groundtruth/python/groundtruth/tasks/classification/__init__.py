"""Image classification with one label."""
