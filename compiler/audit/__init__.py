"""Checking certificates: what a proof says is derived again, by code that shares none with the engines."""
