"""The gateway, with a real nginx before it and a real sqld behind."""
