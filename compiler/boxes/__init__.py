"""Circuits on boxes of reals: layers of units, linear bounds on them, and what floats round away."""
