"""What the shards of a consolidation run on: processes of this machine, Dask, Ray or AWS."""
