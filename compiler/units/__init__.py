"""Rules as hidden units: one layer of relu that is a piecewise affine function of a box."""
