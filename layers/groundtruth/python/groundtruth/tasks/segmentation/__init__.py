"""Semantic segmentation: masks of several workers, fused into one."""
