"""The three ways to hold a database: one file, an embedded replica, the primary itself."""
