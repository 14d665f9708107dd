"""How fast the last layer of an MNIST-sized network is repaired, and what that costs elsewhere."""
