"""What the portal computes of an image so that workers outline faster: superpixels, and objects."""
