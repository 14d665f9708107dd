"""Properties in VNN-LIB, read as obligations about a network."""
