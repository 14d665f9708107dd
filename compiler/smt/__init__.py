"""The SMT reading of the IR, for z3 and as SMT-LIB 2 text."""
