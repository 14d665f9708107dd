"""A circuit as the text of a PyTorch module, which runs without Circ."""
