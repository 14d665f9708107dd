"""The documentation as package data, so that `circ explain` can show its pages."""
