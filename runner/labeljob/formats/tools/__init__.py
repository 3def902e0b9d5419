"""Labels as pre-annotations for the tools that people label with."""
