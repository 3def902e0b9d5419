"""The demonstration: real photographs, a simulated crowd, and pictures of what came out."""
