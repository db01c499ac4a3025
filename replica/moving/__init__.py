"""Moving: all of a local file to a primary, and all of a replica to a local file."""
