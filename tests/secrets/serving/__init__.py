"""The same of a whole server: sqld, the gateway, and nginx before both."""
