"""Annotations that several people made in other tools, as a labeling job's answers."""
