"""Simulated workers: they answer as the stock pages do, or write whole synthetic jobs."""
