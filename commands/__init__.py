"""One file a noun, one value a command. Every module here is read at start."""
