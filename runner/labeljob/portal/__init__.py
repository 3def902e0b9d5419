"""The labeling portal: a private team labels in a browser, and this machine serves it."""
