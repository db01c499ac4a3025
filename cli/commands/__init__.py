"""The commands of td: a file for each group."""
