"""Programs made with the toolkit: each complete, and each imports nothing of this repository but `replica`."""
