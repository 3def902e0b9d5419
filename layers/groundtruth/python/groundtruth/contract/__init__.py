"""What Ground Truth sends and expects: JSON to dataclasses and back."""
