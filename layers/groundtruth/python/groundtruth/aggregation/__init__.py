"""Consolidation algorithms: arrays in, arrays out, one algorithm a file."""
