"""A job in other formats: tables, training sets, and annotations from other tools."""
