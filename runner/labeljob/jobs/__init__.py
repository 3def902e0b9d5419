"""A labeling job on one machine: its files, its clock and its run."""
