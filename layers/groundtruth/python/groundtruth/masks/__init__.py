"""Segmentation masks: PNG files to runs of classes and back."""
