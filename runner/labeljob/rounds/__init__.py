"""More than one round of a job: known objects, labeling again, pooling, planning."""
