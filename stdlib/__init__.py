"""The standard library of specs: `.circ` files, found by their place in this package."""
