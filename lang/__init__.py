"""The front end: from the text of a spec to its typed syntax tree."""
