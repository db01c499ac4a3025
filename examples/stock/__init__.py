"""`stock`: what is on the shelves of a shop, counted by several people who are not always online."""
