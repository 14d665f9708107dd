"""Patches: made, proved, and written to files."""
