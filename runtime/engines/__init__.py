"""Engines: each answers whether every input of a domain meets a goal. None is trusted alone."""
