"""Side-by-side measurements against bare SQLite, libsql's own delegation, and Turso Sync; `make bench` runs them all.

Ratios of one run on one machine are the promise (DESIGN 16), not seconds.
"""
