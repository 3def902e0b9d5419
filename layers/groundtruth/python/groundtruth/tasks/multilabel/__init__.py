"""Image classification with any number of labels."""
