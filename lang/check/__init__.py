"""The type checker: every expression gets a type, every error is reported once."""
