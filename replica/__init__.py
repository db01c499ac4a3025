"""Local-first records: read and write on disk, offline, and trade changes with one primary."""
