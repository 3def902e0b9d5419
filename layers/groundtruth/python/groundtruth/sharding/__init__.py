"""A whole job, or many, consolidated shard by shard: what every engine runs."""
