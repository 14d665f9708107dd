"""`circ repl`: questions about a spec, a line at a time. Only `terminal` knows of a terminal."""
