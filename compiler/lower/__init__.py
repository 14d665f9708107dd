"""Typed syntax to IR: circuits are unfolded, dimensions become numbers, sites become wires."""
