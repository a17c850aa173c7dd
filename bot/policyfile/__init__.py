"""`policy.yaml`: the only reader of the file, its shape and schema, and the watch over its changes."""
