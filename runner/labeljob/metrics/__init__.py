"""How good labels, confidences and workers are, measured on a finished job."""
