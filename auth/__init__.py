"""Who you are, and where your secrets live."""
