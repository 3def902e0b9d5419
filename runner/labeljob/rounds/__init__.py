"""More than one round of a job: known objects, labeling again, pooling, planning."""

MOST_WORKERS = 9
"""Workers whom Ground Truth asks about a data object at most."""

LEAD = 2
"""Votes by which the first class leads when no further worker is asked, where nothing is said."""

MOST_KNOWN = 50
"""Known objects that are advised; in a small job a tenth of it."""
