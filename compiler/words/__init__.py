"""Questions about all words of a regular language, made into automata and sums over positions."""
