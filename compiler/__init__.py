"""The middle: from a typed syntax tree to circuits, and from circuits to questions."""
