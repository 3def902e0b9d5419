"""Masks of several workers to one."""
