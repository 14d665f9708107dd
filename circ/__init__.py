"""Circ: a typed language for circuits inside neural networks, and proofs about them."""
