"""A simulated crowd: workers of stated skill who answer as the stock pages do."""
