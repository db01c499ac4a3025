"""The load generator itself."""
