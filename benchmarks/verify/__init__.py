"""Circ's answers about boxes of reals: against other verifiers, on harder questions, against z3."""
