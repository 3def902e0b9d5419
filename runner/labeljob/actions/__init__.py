"""What the commands do: a module for each of `labeljob.commands`, loaded when it runs."""
