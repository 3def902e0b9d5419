"""The commands of `labeljob`, one a file: options in, library calls, messages out."""
